"""Silence is told from hunger: who has no processor gets more time, but not without end."""

from __future__ import annotations

import os

import pytest

from loom.supervise import vitals
from loom.supervise.settings import Supervision
from loom.supervise.vitals import Vitals, waited_s

SETTINGS = Supervision()


def fault(share: float, monkeypatch: pytest.MonkeyPatch) -> tuple[float, str]:
    """When and how a process is given up that waits for a processor for this share of its silence."""
    now_s = 100.0
    monkeypatch.setattr(vitals, 'waited_s', lambda pid: share * (now_s - 100.0))
    one = Vitals()
    one.expect(now_s, 1.0)
    while now_s < 110.0:
        now_s += 0.05
        if why := one.look(os.getpid(), now_s, SETTINGS) or one.silence(os.getpid(), now_s):
            return now_s - 100.0, why
    return now_s - 100.0, ''


def test_who_could_run_and_gave_no_sign_is_hung(monkeypatch: pytest.MonkeyPatch) -> None:
    after_s, why = fault(0.2, monkeypatch)
    assert why == 'gave no sign for 1 s' and after_s == pytest.approx(1.0, abs=0.06)


def test_who_had_no_processor_gets_more_time_but_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    after_s, why = fault(0.9, monkeypatch)
    assert why == 'gave no sign for 1 s' and 2.9 < after_s < 3.4


def test_a_sign_of_life_begins_the_time_anew() -> None:
    one = Vitals()
    assert not one.silence(os.getpid(), 1e9), 'nothing is expected yet'
    one.expect(10.0, 1.0)
    assert not one.silence(os.getpid(), 10.9)
    one.expect(10.9, 20.0)
    assert not one.silence(os.getpid(), 30.8) and one.silence(os.getpid(), 30.95)
    one.nothing()
    assert not one.silence(os.getpid(), 1e9)


def test_waiting_is_counted_by_the_kernel() -> None:
    assert waited_s(os.getpid()) >= 0.0 and waited_s(2 ** 22 + 1) == 0.0
