"""The keeper and the supervisor with real processes and nodes: services, health, failures, nodes that are missing."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from lifecycle_client import DEACTIVATE, LifecycleClient  # noqa: E402
from loom_msgs.msg import Health  # noqa: E402
from loom_msgs.srv import ManageNodes, SetMode  # noqa: E402
from process_tree import children, name_of, runs  # noqa: E402
from rcl_interfaces.msg import Log  # noqa: E402
from rclpy.qos import QoSProfile, qos_profile_rosout_default  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from loom.core.delivery import STATE  # noqa: E402
from loom.ros.qos import subscription_profile  # noqa: E402
from loom.ros.service_call import call  # noqa: E402

Until = Callable[..., None]
START_S = 30.0
CALL_S = 20.0
NODES = ('second', 'first', 'camera')
SUPERVISION = {
    'restarts': 2, 'backoff_step_s': 0.1, 'start_s': 10.0,
    'nodes': {'second': {'needs': ['first']}, 'camera': {'on_failure': 'degrade'}}}
REASON = re.compile(r"configure: a camera must be a device or a video file, '[^']*film\.avi' is not there")


class Scene:
    """A keeper with two sources and a camera, and a guest that asks."""

    def __init__(self, ros: Any, until: Until, program: Any, folder: Path) -> None:
        self.until, self.program = until, program
        self.namespace, self.film = ros.namespace, folder / 'film.avi'
        self.guest = ros.add(rclpy.create_node, 'guest')
        self.health: list[Health] = []
        self.diagnostics: dict[str, DiagnosticStatus] = {}
        self.log: list[str] = []
        self.guest.create_subscription(Health, 'loom/health', self.health.append, subscription_profile(STATE))
        self.guest.create_subscription(DiagnosticArray, '/diagnostics', self._diagnosed, 100)
        self.guest.create_subscription(Log, '/rosout', lambda log: self.log.append(f'{log.name}: {log.msg}'),
                                       QoSProfile(**{slot: getattr(qos_profile_rosout_default, slot) for slot in (
                                           'history', 'depth', 'reliability', 'durability')}))
        self.table = folder / 'processes.yaml'
        self.table.write_text(yaml.safe_dump({
            'order': ['second=synthetic', 'first=synthetic', 'camera'], 'few': {}, 'only_in_simulation': [],
            'supervision': SUPERVISION}))

    def _diagnosed(self, array: Any) -> None:
        self.diagnostics.update({s.name.removeprefix(f'{self.namespace}/'): s for s in array.status})

    def start(self, form: str = 'many', **environment: str) -> None:
        self.keeper = self.program(
            command=[sys.executable, '-m', 'loom.nodes.keeper', f'--processes_file={self.table}',
                     f'--processes={form}', '--sim=none', '--ros-args', '-r', f'__ns:=/{self.namespace}'],
            LOOM_CAMERA_SOURCE='video', LOOM_CAMERA_PATH=str(self.film), LOOM_SUPERVISOR_HEALTH_PERIOD_S='0.2',
            **environment)

    def record(self) -> None:
        """Makes the film that the camera shows."""
        writer = cv2.VideoWriter(str(self.film), cv2.VideoWriter_fourcc(*'MJPG'), 20.0, (64, 48))
        writer.write(np.zeros((48, 64, 3), np.uint8))
        writer.release()

    def newest(self) -> Health:
        return self.health[-1] if self.health else Health()

    def expect(self, mode: str, **states: str) -> None:
        self.until(lambda: (self.newest().mode, self.states()) == (mode, states),
                   f'health is not {mode} {states} but {self.health[-1:]}:\n{self.keeper.text[-3000:]}', START_S)

    def states(self) -> dict[str, str]:
        return dict(zip(self.newest().nodes, self.newest().states))

    def pids(self) -> dict[str, int]:
        """Process name -> number."""
        return {name_of(pid): pid for pid in children(self.keeper.process.pid)}

    def steps(self, step: str) -> list[str]:
        """The sources that took a step, in order, as the output tells."""
        return re.findall(rf'\[{self.namespace}\.(first|second)\]: {step} done', self.keeper.text)

    def manage(self, number: int) -> ManageNodes.Response:
        client = self.guest.create_client(ManageNodes, 'supervisor/manage_nodes')
        return call(client, ManageNodes.Request(command=number), CALL_S)

    def set_mode(self, name: str) -> SetMode.Response:
        return call(self.guest.create_client(SetMode, 'supervisor/set_mode'), SetMode.Request(mode=name), CALL_S)

    def is_active(self) -> Trigger.Response:
        return call(self.guest.create_client(Trigger, 'supervisor/is_active'), Trigger.Request(), CALL_S)


@pytest.fixture
def scene(ros: Any, until: Until, program: Any, tmp_path: Path) -> Iterator[Scene]:
    one = Scene(ros, until, program, tmp_path)
    yield one
    if one.keeper.process.poll() is None:
        pids = one.pids().values()
        assert one.keeper.end(signal.SIGTERM, 10.0) == 0, one.keeper.text[-3000:]
        assert not [pid for pid in pids if runs(pid)], 'a process outlived the keeper'


@pytest.mark.parametrize('form', ['many', 'one'])
def test_it_brings_up_in_order_and_obeys_its_services(scene: Scene, form: str) -> None:
    scene.record()
    scene.start(form)
    scene.expect('active', **dict.fromkeys(NODES, 'active'))
    assert list(scene.newest().nodes) == ['first', 'second', 'camera']
    assert scene.steps('activate') == ['first', 'second']
    assert scene.newest().level == Health.OK and scene.newest().message == ''
    assert scene.is_active().success
    assert scene.manage(ManageNodes.Request.PAUSE).success
    scene.expect('paused', **dict.fromkeys(NODES, 'inactive'))
    assert not scene.is_active().success and 'paused' in (scene.is_active().message, scene.newest().mode)
    assert scene.set_mode('active').success
    assert scene.set_mode('paused').success and scene.manage(ManageNodes.Request.RESUME).success
    assert scene.manage(ManageNodes.Request.SHUTDOWN).success
    scene.expect('stopped', **dict.fromkeys(NODES, 'unconfigured'))
    scene.until(lambda: scene.steps('cleanup') == ['second', 'first'])
    assert scene.manage(ManageNodes.Request.STARTUP).success
    scene.expect('active', **dict.fromkeys(NODES, 'active'))


def test_what_it_cannot_do_is_answered_with_code_and_reason(scene: Scene) -> None:
    scene.record()
    scene.start()
    scene.expect('active', **dict.fromkeys(NODES, 'active'))
    answer = scene.manage(99)
    assert (answer.success, answer.error_code) == (False, 1) and 'got 99' in answer.error_msg
    answer = scene.set_mode('asleep')
    assert (answer.success, answer.error_code) == (False, 1) and "'asleep'" in answer.error_msg
    assert scene.is_active().success


def test_a_node_that_can_not_configure_leaves_the_others_running_and_its_reason_everywhere(scene: Scene) -> None:
    scene.start()
    scene.expect('active', first='active', second='active', camera='unconfigured')
    scene.until(lambda: list(scene.newest().restarts) == [0, 0, 3], f'{scene.newest()}')
    assert scene.newest().level == Health.DEGRADED
    assert REASON.search(scene.newest().message), scene.newest().message
    assert scene.newest().message.startswith('camera is unconfigured: ')
    scene.until(lambda: 'camera: lifecycle' in scene.diagnostics and 'supervisor: camera' in scene.diagnostics)
    own = scene.diagnostics['camera: lifecycle']
    assert own.level == DiagnosticStatus.ERROR and REASON.search(own.message)
    scene.until(lambda: scene.diagnostics['supervisor: camera'].message == 'given up')
    assert scene.diagnostics['supervisor: camera'].level == DiagnosticStatus.ERROR
    scene.until(lambda: any('supervisor: camera is unconfigured' in line for line in scene.log),
                'rosout has nothing of the supervisor')
    scene.until(lambda: any(line.startswith(f'{scene.namespace}.camera: configure failed: a camera must be')
                            for line in scene.log), f'rosout has not the reason: {scene.log}')
    assert scene.keeper.text.count('configure failed: a camera must') == 3, 'it is left alone after that'
    assert re.search(r'failure 3 of camera within 60 s, 2 allowed', scene.keeper.text)


def test_one_that_was_given_up_is_tried_again_after_reset_and_startup(scene: Scene) -> None:
    scene.start()
    scene.expect('active', first='active', second='active', camera='unconfigured')
    pids = scene.pids()
    answer = scene.manage(ManageNodes.Request.STARTUP)
    assert (answer.success, answer.error_code) == (False, 2) and REASON.search(answer.error_msg)
    scene.record()
    assert scene.manage(ManageNodes.Request.RESET).success
    scene.expect('stopped', **dict.fromkeys(NODES, 'unconfigured'))
    assert scene.manage(ManageNodes.Request.STARTUP).success
    scene.expect('active', **dict.fromkeys(NODES, 'active'))
    assert scene.newest().level == Health.OK and list(scene.newest().restarts) == [0, 0, 0]
    assert scene.pids() == pids, 'no process had to end for that'


def test_a_node_that_is_taken_down_by_hand_is_seen_and_left_there(scene: Scene) -> None:
    scene.record()
    scene.start()
    scene.expect('active', **dict.fromkeys(NODES, 'active'))
    LifecycleClient(scene.guest, 'camera').transition(DEACTIVATE, CALL_S)
    scene.expect('active', first='active', second='active', camera='inactive')
    assert scene.newest().level == Health.DEGRADED and 'camera is inactive' in scene.newest().message
    count = len(scene.health)
    scene.until(lambda: len(scene.health) > count + 5)
    assert scene.states()['camera'] == 'inactive' and list(scene.newest().restarts) == [0, 0, 0]
    assert scene.set_mode('active').success
    scene.expect('active', **dict.fromkeys(NODES, 'active'))


@pytest.mark.parametrize('victim', ['first', 'supervisor'])
def test_a_process_that_is_killed_comes_back_and_the_others_are_not_touched(scene: Scene, victim: str) -> None:
    scene.record()
    scene.start()
    scene.expect('active', **dict.fromkeys(NODES, 'active'))
    before = scene.pids()
    count = len(scene.health)
    os.kill(before[victim], signal.SIGKILL)
    scene.until(lambda: scene.pids().get(victim, before[victim]) != before[victim], 'no new process')
    scene.until(lambda: len(scene.health) > count and scene.newest().level == Health.OK
                and list(scene.newest().restarts) == [int(victim == 'first'), 0, 0], f'{scene.newest()}', START_S)
    after = scene.pids()
    assert {**after, victim: 0} == {**before, victim: 0}
    assert scene.is_active().success


def test_a_wrong_setting_ends_it_all_with_2_and_the_words_of_the_node(scene: Scene) -> None:
    scene.start(LOOM_FIRST_RATE_HZ='-1')
    assert scene.keeper.process.wait(START_S) == 2
    assert 'error: first: rate_hz' in scene.keeper.text and 'Traceback' not in scene.keeper.text
    assert 'first has a wrong setting, see above' in scene.keeper.text


@pytest.mark.parametrize(('arguments', 'words'), [
    (['--processes_file=/nonexistent.yaml'], 'error: /nonexistent.yaml does not exist'),
    (['--processes=several'], 'few'),
    ([], 'the following arguments are required: --processes_file')])
def test_a_wrong_command_line_starts_nothing(program: Any, arguments: list[str], words: str) -> None:
    one = program(command=[sys.executable, '-m', 'loom.nodes.keeper', *arguments])
    assert one.process.wait(START_S) == 2
    assert words in one.text and 'Traceback' not in one.text


def test_a_wrong_tree_names_its_place(scene: Scene) -> None:
    table = yaml.safe_load(scene.table.read_text())
    table['supervision']['nodes']['secnd'] = {'needs': ['first']}
    scene.table.write_text(yaml.safe_dump(table))
    scene.start()
    assert scene.keeper.process.wait(START_S) == 2
    assert "nodes: no node named 'secnd'; did you mean 'second'" in scene.keeper.text
