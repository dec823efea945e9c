"""Segments of the killed are reclaimed, those of the living are kept."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loom.ros.shared_memory import reclaim

PARTICIPANT = """
import rclpy, time
rclpy.init()
node = rclpy.create_node('participant')
print('ready', flush=True)
time.sleep(60)
"""


def segments(folder: Path, *names: str) -> None:
    for name in names:
        for file in (name, f'{name}_el', f'sem.{name}_mutex'):
            (folder / file).touch()


def test_a_killed_participants_segments_go_and_a_living_ones_stay(program: Callable[..., Any], until: Any) -> None:
    pytest.importorskip('rclpy')
    dead, alive = program(PARTICIPANT), program(PARTICIPANT)
    until(lambda: 'ready' in dead.text and 'ready' in alive.text, 'no participant started', timeout_s=20)
    locks = [{s for s in one.segments() if s.name.endswith('_el')} for one in (dead, alive)]
    assert all(locks), f'a participant holds no locks: {[one.segments() for one in (dead, alive)]}'
    dead.end(signal.SIGKILL)
    left = {lock.with_name(lock.name.removesuffix('_el')) for lock in locks[0]}
    assert any(path.exists() for path in left), 'Fast DDS cleans up after SIGKILL by now: reclaim is not needed'

    def gone() -> bool:
        # Ports have numbers that others take over at once; another process may be reclaiming at this moment.
        reclaim()
        return not [path for path in left | locks[0] if path.exists() and 'port' not in path.name]
    until(gone, f'{left} stays behind')
    assert all(path.exists() for path in locks[1])
    assert alive.process.poll() is None
    reclaim()
    assert all(path.exists() for path in locks[1])


def test_only_locked_segments_of_fast_dds_matter(tmp_path: Path) -> None:
    segments(tmp_path, 'fastdds_1', 'fastrtps_2', 'other_3', 'fastdds_4')
    with (tmp_path / 'fastdds_4_el').open('rb') as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert reclaim(folder=tmp_path) == 2
        assert {p.name for p in tmp_path.iterdir()} == {
            'other_3', 'other_3_el', 'sem.other_3_mutex', 'fastdds_4', 'fastdds_4_el', 'sem.fastdds_4_mutex'}
        assert reclaim(folder=tmp_path) == 0
        assert reclaim(own=True, folder=tmp_path) == 1
    assert not list(tmp_path.glob('fastdds*'))


def test_a_segment_without_its_parts_or_without_rights_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / 'fastdds_1_el').touch()
    (tmp_path / 'fastdds_2_el').mkdir()
    assert reclaim(folder=tmp_path) == 1
    assert reclaim(folder=tmp_path / 'nowhere') == 0
    assert os.listdir(tmp_path) == ['fastdds_2_el']
