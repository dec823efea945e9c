"""A whole robot whose processes are killed, stopped and doubled: what is back, what stays, and what stands still."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent))
from drive import Drive
from process_tree import children, family, runs
from scene import SPARE, Scene, continue_all, forgiving, scene

from loom.core.errors import CapabilityError

SEED = 21
KILLS = 12
BACK_S = 20.0
END_S = 2.0
NEVER = float('inf')
SHARED_BYTES = 16 << 20
# The base stands after this time without a command, and then needs some for braking.
WATCHDOG_S, BRAKING_S = 0.5, 0.35
Until = Callable[..., None]


@pytest.fixture(scope='module')
def robot(tmp_path_factory: pytest.TempPathFactory, table: Path) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp('robot')
    with scene(folder, f'processes_file:={forgiving(table, folder)}') as started:
        yield started


def test_whoever_is_killed_is_back_and_leaves_nothing_behind(robot: Scene, until: Until) -> None:
    choice, keeper = random.Random(SEED), robot.keeper()
    until(lambda: SPARE in robot.processes(), 'there is no spare')
    names, seen = sorted(robot.processes()), set(family(keeper))
    shared, files = shared_bytes(), len(os.listdir(f'/proc/{keeper}/fd'))
    for name in choice.choices(names, k=KILLS):
        until(lambda name=name: name in robot.processes(), 'there is no spare')
        blow = robot.strike(name, signal.SIGKILL)
        until(lambda blow=blow: robot.back(blow), f'{name} is not back', BACK_S)
        seen.update(family(keeper))
    until(lambda: sorted(robot.processes()) == names, 'the spare is not there again')
    assert robot.keeper() == keeper
    until(lambda: len(os.listdir(f'/proc/{keeper}/fd')) == files, 'the keeper holds more files than before')
    assert shared_bytes() - shared <= SHARED_BYTES
    until(lambda: not [pid for pid in seen - set(family(keeper)) if runs(pid)], 'a process outlived its keeper')
    assert len(robot.recoveries()) >= KILLS // 2


def test_who_is_killed_again_while_it_comes_up_is_back_too(robot: Scene, until: Until) -> None:
    choice = random.Random(SEED + 1)
    for name in ('safety', 'simulator', 'agent_host', 'supervisor', 'camera'):
        first = robot.strike(name, signal.SIGKILL)
        time.sleep(choice.uniform(0.05, 0.5))
        second = robot.strike(choice.choice(sorted(robot.processes())), signal.SIGKILL)
        until(lambda first=first, second=second: robot.back(first, second), f'not all is back after {name}', BACK_S)


def test_all_are_stopped_and_each_is_noticed(robot: Scene, until: Until) -> None:
    until(lambda: SPARE in robot.processes(), 'there is no spare')
    names, old, seen = sorted(robot.processes()), set(robot.processes().values()), len(robot.reports)
    noticed = 'was stopped by a signal for '
    said = robot.text.count(noticed)
    try:
        for pid in old:
            os.kill(pid, signal.SIGSTOP)
        until(lambda: not any(map(runs, old)), 'a stopped process was not noticed')
        # The spare is replaced without a word.
        until(lambda: robot.text.count(noticed) >= said + len(old) - 1)
        until(lambda: sorted(robot.processes()) == names and robot.whole(seen), 'not all is back', 20.0)
    finally:
        continue_all(sorted(old))


@pytest.mark.parametrize(('name', 'process', 'number'), [
    ('simulator', 'simulation', signal.SIGTERM), ('memory_server', 'mind', signal.SIGINT),
    ('agent_host', 'agents', signal.SIGTERM), ('camera', 'sources', signal.SIGTERM)])
def test_a_process_that_is_asked_to_end_does_so_in_time(robot: Scene, until: Until, name: str, process: str,
                                                        number: int) -> None:
    blow, said = robot.strike(name, number), robot.text.count(f'{process} ended with exit code 0')
    until(lambda: not runs(blow.pid), f'{name} does not end', END_S)
    until(lambda: robot.back(blow), f'{name} is not back', BACK_S)
    assert robot.text.count(f'{process} ended with exit code 0') == said + 1


def test_without_its_supervisor_the_robot_goes_on(robot: Scene, until: Until) -> None:
    before = robot.processes()
    blow = robot.strike('supervisor', signal.SIGKILL)
    until(lambda: robot.back(blow), 'the supervisor is not back', BACK_S)
    after = robot.processes()
    others = before.keys() - {'supervisor', SPARE}
    assert {name: after[name] for name in others} == {name: before[name] for name in others}


def test_a_keeper_that_is_stopped_is_not_believed_and_goes_on_later(robot: Scene, until: Until) -> None:
    until(lambda: SPARE in robot.processes() and robot.whole(), 'the robot is not whole')
    before, keeper = robot.processes(), robot.keeper()
    os.kill(keeper, signal.SIGSTOP)
    try:
        until(lambda: (robot.health.mode, robot.health.level) == ('unknown', 2), 'nobody noticed')
    finally:
        os.kill(keeper, signal.SIGCONT)
    until(robot.whole, 'the robot is not whole again')
    assert robot.processes() == before, 'the keeper was away, and took the others for silent'


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_without_its_safety_the_base_stands_and_goes_on_later(robot: Scene, until: Until, number: int) -> None:
    with Drive(robot.robot.client) as drive:
        until(drive.turning, 'the robot does not turn')
        drive.mark()
        blow = robot.strike('safety', number)
        until(lambda: drive.stood_s() < NEVER or robot.back(blow), 'the base went on without safety')
        # Another safety may be in charge before the base has missed the first.
        assert drive.stood_s() <= WATCHDOG_S + BRAKING_S or drive.stood_s() == NEVER
        until(lambda: robot.back(blow) and drive.turning(), 'the robot does not turn again', BACK_S)
        # It did not start, stand and start again.
        assert drive.starts() <= 1


def test_two_publishers_of_cmd_vel_make_the_base_stand(robot: Scene, until: Until) -> None:
    from geometry_msgs.msg import Twist

    from loom.act.safety import FOREIGN_PUBLISHER
    node = robot.robot.client.node
    with Drive(robot.robot.client) as drive:
        until(drive.turning, 'the robot does not turn')
        other = node.create_publisher(Twist, 'cmd_vel', 1)
        try:
            until(lambda: drive.code == FOREIGN_PUBLISHER and drive.standing(), 'the base drives with two masters')
        finally:
            node.destroy_publisher(other)
        until(drive.turning, 'the robot does not turn again')


def test_who_is_back_before_the_graph_has_forgotten_it_is_not_taken_for_gone(robot: Scene, until: Until) -> None:
    from loom.ros.directory import DirectoryReader
    client, readers = robot.robot.client, []
    client.node.executor.create_task(lambda: readers.append(DirectoryReader(client.node)))

    def host() -> Any:
        return readers[0].directory.hosts.get('agent_host') if readers else None
    until(lambda: host() and host().up, 'the host is not in the directory')
    for _ in range(2):
        before = host().incarnation
        blow = robot.strike('agent_host', signal.SIGKILL)
        until(lambda blow=blow: robot.back(blow), 'the host is not back', BACK_S)
        # It knows where it is once the first transforms have come.
        until(lambda: located(client), 'the new host does not know where it is')
        until(lambda before=before: host().incarnation != before and host().up, 'the new host is not known')
        until(lambda: client.node.count_publishers('loom/directory') == 1, 'the graph still has the dead host')
        now = host()
        # The reader has looked once more by then.
        seen = len(robot.reports)
        until(lambda seen=seen: len(robot.reports) > seen, 'the supervisor does not report')
        assert host() == now and robot.whole()
        assert client.invoke('where_am_i', {}, 5.0)
        assert list(robot.health.nodes).count('agent_host') == 1


def test_a_second_robot_of_the_same_name_is_refused(robot: Scene) -> None:
    from loom.core.folders import state_folder
    past = state_folder() / 'simulation' / os.environ['ROS_DOMAIN_ID'] / 'robot'
    before, kept = robot.processes(), past.stat().st_ino
    second = subprocess.run(['ros2', 'launch', 'loom', 'bringup.launch.py'], capture_output=True, text=True, timeout=60)
    assert second.returncode != 0
    assert f"a robot of namespace '' is up in domain {os.environ['ROS_DOMAIN_ID']} already, process {robot.keeper()}" \
        in second.stdout + second.stderr
    assert past.stat().st_ino == kept, 'the second launch took the world of the first'
    assert {n: p for n, p in robot.processes().items() if n != SPARE} == {n: p for n, p in before.items() if n != SPARE}
    assert robot.whole()


def test_without_a_keeper_all_end_and_another_begins(robot: Scene, until: Until) -> None:
    keeper, old, seen = robot.keeper(), family(robot.keeper()), len(robot.reports)
    before_s = simulated_s(robot, until)
    stopped = [robot.processes()[name] for name in ('simulator', 'safety')]
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        os.kill(keeper, signal.SIGKILL)
        until(lambda: not any(map(runs, old)), 'a process outlived the keeper', 10.0)
    finally:
        continue_all(stopped)
    until(lambda: robot.keeper() not in (0, keeper) and robot.whole(seen), 'the robot is not back', 60.0)

    def publishers() -> int:
        return len(robot.robot.client.node.get_publishers_info_by_topic('cmd_vel'))
    assert publishers() <= 1, 'the dead are still on the graph'
    until(lambda: publishers() == 1)
    assert simulated_s(robot, until) >= before_s, 'the world began anew'


def test_a_keeper_that_dies_again_and_again_takes_the_launch_along(robot: Scene, until: Until) -> None:
    killed: set[int] = set()

    def ended() -> bool:
        for pid in children(robot.robot.process.pid):
            killed.add(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return robot.robot.process.poll() is not None
    until(ended, 'the launch goes on', 30.0)
    assert 1 < len(killed) <= 6


def located(client: Any) -> bool:
    """Whether the robot's agent can tell its place."""
    with suppress(CapabilityError):
        return bool(client.invoke('where_am_i', {}, 5.0))
    return False


def simulated_s(robot: Scene, until: Until) -> float:
    """Seconds of the simulated world."""
    with Drive(robot.robot.client, propose=False) as drive:
        until(lambda: drive.seen, 'the world stands still')
        return drive.seen[-1].at_s


def shared_bytes() -> int:
    """What lies in shared memory under a name."""
    disk = os.statvfs('/dev/shm')
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize
