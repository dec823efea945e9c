"""Twelve agent hosts, each a node with an agent: from the launch command to their answers, and what they cost idle."""

from __future__ import annotations

import json
import os
import queue
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from robot import cpu_s, resident_mb
from row import Row
from small_agents import ANSWER, CALL

from loom.core.errors import DeadlineError
from loom.ros.launched import LaunchedRobot, launched_robot

HOSTS = [f'host_{number}' for number in range(1, 13)]
FORMS = ('many', 'one')
RUNS = 5
DOMAIN = 77
ANSWER_S, CALL_S = 30.0, 0.5
SETTLE_S, IDLE_S = 3.0, 20.0


def measure() -> list[Row]:
    """Medians of the start times; CPU and memory of the launch and all its processes, in the one-process form."""
    started: dict[str, list[float]] = {form: [] for form in FORMS}
    cpu_pct, memory_mb = [], []
    for run in range(RUNS):
        for form in FORMS:
            with hosts(form) as robot:
                started[form].append(answered_s(robot))
                if form == 'one' and run % 2 == 0:
                    time.sleep(SETTLE_S)
                    cpu_pct.append(idle_pct(robot.process.pid))
                    memory_mb.append(resident_mb(robot.process.pid))
        print(f'  run {run + 1}: ' + ', '.join(f'{form} {started[form][-1]:.2f} s' for form in FORMS)
              + f', idle {cpu_pct[-1]:.1f} %, {memory_mb[-1]:.0f} MB', flush=True)
    return [Row('agents.startup_s', statistics.median(started['many']), 's', '<= 5'),
            Row('agents.startup_one_process_s', statistics.median(started['one']), 's', '<= 2'),
            Row('agents.idle_cpu_pct', statistics.median(cpu_pct), '%', '<= 15'),
            Row('agents.idle_rss_mb', statistics.median(memory_mb), 'MB', '<= 250')]


@contextmanager
def hosts(form: str) -> Iterator[LaunchedRobot]:
    """The hosts, each in a process of its own or all in one, started by the launch command of a robot."""
    os.environ.update(ROS_DOMAIN_ID=str(DOMAIN), ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST')
    with tempfile.TemporaryDirectory() as folder, _searched(Path(__file__).parent), \
            open(os.environ.get('BENCH_LOG', os.devnull), 'a') as log:
        plan = {'order': [f'{host}=agent_host' for host in HOSTS], 'few': {}, 'only_in_simulation': [],
                'supervision': {'spares': 0}}
        parameters = {f'/**/{host}': {'ros__parameters': {
            'agents': [f'small_agents:{host.replace("host", "small")}'], 'memory': '', 'missions': False,
            'journal': f'{folder}/journal'}}
            for host in HOSTS}
        with launched_robot('sim:=none', f'processes:={form}', f'processes_file:={_written(folder, "plan", plan)}',
                            f'params_file:={_written(folder, "parameters", parameters)}', output=log) as robot:
            yield robot


def answered_s(robot: LaunchedRobot) -> float:
    """Seconds from the launch command until each agent has answered a call and all nodes are active."""
    answers = robot.client.events(ANSWER)
    missing = {host.replace('host', 'small') for host in HOSTS}
    deadline, call_at = time.monotonic() + ANSWER_S, 0.0
    while missing:
        now = time.monotonic()
        if now > deadline:
            raise DeadlineError(f'each agent must answer within {ANSWER_S:g} s, {sorted(missing)} did not')
        if now > call_at:
            call_at = now + CALL_S
            robot.client.publish(CALL, None, ANSWER_S)
        with suppress(queue.Empty):
            missing.discard(answers.get(timeout=0.05).data)
    return robot.wait_active()


def idle_pct(pid: int) -> float:
    """Share of one core that a process and its descendants take while nothing happens."""
    before_s, since = cpu_s(pid), time.monotonic()
    time.sleep(IDLE_S)
    return 100 * (cpu_s(pid) - before_s) / (time.monotonic() - since)


@contextmanager
def _searched(folder: Path) -> Iterator[None]:
    # The robot's processes import the agents from here.
    before = os.environ.get('PYTHONPATH', '')
    os.environ['PYTHONPATH'] = f'{folder}{os.pathsep}{before}'
    try:
        yield
    finally:
        os.environ['PYTHONPATH'] = before


def _written(folder: str, name: str, content: dict[str, Any]) -> Path:
    path = Path(folder) / f'{name}.yaml'
    path.write_text(json.dumps(content))
    return path
