"""The other forms of the same robot: in one process, each node in its own, and two robots side by side."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from process_tree import children, name_of

from loom.ros.launched import LaunchedRobot, launched_robot
from loom.ros.plan import processes, start_order


def parts_of(robot: LaunchedRobot) -> list[str]:
    """The names of the robot's processes; a spare is still called like the keeper."""
    keeper, = children(robot.process.pid)
    return [name_of(pid) for pid in children(keeper) if name_of(pid) != name_of(keeper)]


@pytest.mark.parametrize(('argument', 'sim'), [
    ('processes:=one', 'mujoco'), ('processes:=many', 'mujoco'), ('world:=warehouse', 'mujoco'), ('sim:=none', 'none')])
def test_the_same_nodes_in_another_form(argument: str, sim: str, tmp_path: Path, table: Any) -> None:
    with (tmp_path / 'output').open('wb') as output, launched_robot(argument, output=output) as robot:
        try:
            robot.wait_active(120.0)
        except Exception:
            pytest.fail((tmp_path / 'output').read_text()[-5000:])
        health = robot.client.health()
        assert list(health.nodes) == start_order(table, sim)
        assert set(health.states) == {'active'}
        form = argument.removeprefix('processes:=') if 'processes' in argument else 'few'
        plan = processes(table, form, sim)
        assert sorted(parts_of(robot)) == sorted('+'.join(nodes)[:15] for nodes in plan.values())


def test_two_robots_side_by_side(tmp_path: Path, until: Any) -> None:
    with ExitStack() as stack:
        output = stack.enter_context((tmp_path / 'output').open('wb'))
        robots = [stack.enter_context(launched_robot(f'namespace:={name}', output=output)) for name in ('r1', 'r2')]
        try:
            for robot in robots:
                robot.wait_active(120.0)
        except Exception:
            pytest.fail((tmp_path / 'output').read_text()[-5000:])

        def topics() -> set[str]:
            return {topic for topic, _ in robots[0].client.node.get_topic_names_and_types()}
        until(lambda: {'/r1/safety', '/r2/safety'} <= {name for robot in robots for name in robot.client.nodes()})
        until(lambda: {'/r1/cmd_vel', '/r2/cmd_vel', '/r1/tf', '/r2/scan', '/r1/clock'} <= topics())
        assert not topics() & {'/cmd_vel', '/tf', '/scan', '/clock', '/odom'}
