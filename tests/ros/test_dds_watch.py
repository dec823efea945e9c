"""DdsWatch: it tells a blocked thread from one that has nothing to do or waits for a processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.ros.dds_watch import LOOK_S, PROFILE, SEARCH_S, STUCK_LOOKS, DdsWatch


class Kernel:
    """The part of /proc that is looked at, and a clock."""

    def __init__(self, tasks: Path) -> None:
        self.now_s = 100.0
        self.tasks = tasks
        self.watch = DdsWatch(tasks, lambda: self.now_s)
        self.has('7', 'python', 5, 'S')

    def has(self, task: str, comm: str, runs: int, state: str) -> None:
        folder = self.tasks / task
        folder.mkdir(exist_ok=True)
        (folder / 'comm').write_text(f'{comm}\n')
        (folder / 'schedstat').write_text(f'1000 2000 {runs}\n')
        (folder / 'stat').write_text(f'{task} ({comm} x) {state} 1 2 3\n')

    def looks(self, number: int) -> list[bool]:
        seen = []
        for _ in range(number):
            seen.append(self.watch.stuck())
            self.now_s += LOOK_S
        return seen


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setenv('FASTDDS_DEFAULT_PROFILES_FILE', f'/opt/share/{PROFILE}')
    return Kernel(tmp_path)


def test_a_thread_that_runs_is_well(kernel: Kernel) -> None:
    for runs in range(20):
        kernel.has('8', 'dds.ev.0', runs, 'S')
        assert kernel.looks(1) == [False]


def test_one_that_sleeps_too_long_is_stuck(kernel: Kernel) -> None:
    kernel.has('8', 'dds.ev.0', 9, 'S')
    assert kernel.looks(STUCK_LOOKS + 1) == [False] * STUCK_LOOKS + [True]


def test_looks_are_not_counted_faster_than_they_are_due(kernel: Kernel) -> None:
    kernel.has('8', 'dds.ev.0', 9, 'S')
    assert not any(kernel.watch.stuck() for _ in range(100))


def test_a_process_that_was_stopped_is_not_stuck(kernel: Kernel) -> None:
    kernel.has('8', 'dds.ev.0', 9, 'S')
    kernel.looks(STUCK_LOOKS - 1)
    kernel.now_s += 60.0
    assert kernel.looks(1) == [False]


def test_who_waits_for_a_processor_is_not_stuck(kernel: Kernel) -> None:
    kernel.has('8', 'dds.ev.0', 9, 'R')
    assert not any(kernel.looks(20))


def test_one_of_two_participants_is_enough(kernel: Kernel) -> None:
    kernel.has('8', 'dds.ev.0', 9, 'S')
    for runs in range(STUCK_LOOKS):
        kernel.has('9', 'dds.ev.1', runs, 'S')
        assert kernel.looks(1) == [False]
    assert kernel.looks(1) == [True]


def test_a_participant_that_comes_later_is_found(kernel: Kernel) -> None:
    kernel.looks(3)
    kernel.has('8', 'dds.ev.0', 9, 'S')
    assert any(kernel.looks(round(SEARCH_S / LOOK_S) + STUCK_LOOKS + 1))


def test_a_thread_that_has_gone_is_forgotten(kernel: Kernel) -> None:
    kernel.has('8', 'dds.ev.0', 9, 'S')
    kernel.looks(STUCK_LOOKS)
    for file in (kernel.tasks / '8').iterdir():
        file.unlink()
    assert not any(kernel.looks(5))


def test_where_another_profile_announces_as_it_likes_nothing_is_judged(kernel: Kernel, tmp_path: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FASTDDS_DEFAULT_PROFILES_FILE', '/etc/own.xml')
    other = Kernel(tmp_path)
    other.has('8', 'dds.ev.0', 9, 'S')
    assert not any(other.looks(20))
