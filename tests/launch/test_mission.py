"""The demo: a spoken sentence, a drive to the kitchen, a look, a spoken report."""

from __future__ import annotations

import subprocess


def test_fetch_report_succeeds() -> None:
    done = subprocess.run(['loom', 'run', 'fetch_report'], capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    assert 'mission fetch_report succeeded' in done.stdout
    assert 'red ball' in done.stdout.rpartition('succeeded')[2]


def test_an_unknown_mission_fails_with_its_name() -> None:
    done = subprocess.run(['loom', 'run', 'fetch_reprot'], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert 'fetch_reprot' in done.stdout + done.stderr and 'fetch_report' in done.stdout + done.stderr
