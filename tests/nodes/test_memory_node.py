"""memory_server on ROS: it remembers by itself what the camera saw and where, answers, and comes back after a kill."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from tf2_msgs.msg import TFMessage  # noqa: E402

from loom import Event  # noqa: E402
from loom.core.delivery import STATE, TRANSFORM  # noqa: E402
from loom.nodes.memory_server import MemoryServer  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.qos import publisher_profile  # noqa: E402
from loom.ros.range_scan import BASE  # noqa: E402
from loom.ros.sim_convert import ODOM, transform  # noqa: E402
from loom.sim.pose import Pose  # noqa: E402

Until = Callable[..., None]


class Asker:
    """A guest that shows the robot's world to the memory and asks it."""

    def __init__(self, ros: Any, until: Until) -> None:
        self.node: Node = ros.add(Node, 'guest')
        self.bus = RosBus(self.node)
        self.answers: dict[str, Any] = {}
        self._until = until
        self._tf = self.node.create_publisher(TFMessage, 'tf', publisher_profile(TRANSFORM))
        self._places = self.node.create_publisher(String, 'loom/places', publisher_profile(STATE))
        self.bus.receive('guest', lambda event: self.answers.update({event.correlation_id: event}))

    def stands(self, x: float, y: float) -> None:
        """Says where the robot is now."""
        stamp = self.node.get_clock().now().to_msg()
        poses = (('map', ODOM, 0.0, 0.0), (ODOM, BASE, x, y))
        self._tf.publish(TFMessage(transforms=[
            transform(parent, child, Pose.from_rpy((px, py, 0.0), (0.0, 0.0, 0.0)), stamp)
            for parent, child, px, py in poses]))

    def knows(self, places: str) -> None:
        """Says which places there are."""
        self._places.publish(String(data=places))

    def tell(self, type: str, data: Any, **fields: Any) -> Event:
        """An event of now."""
        return Event.create(type, data, source='guest', sender='guest',
                            stamp_ns=self.node.get_clock().now().nanoseconds, **fields)

    def ask(self, verb: str, data: Any) -> Any:
        """What the memory server answers."""
        question = self.tell(f'memory.{verb}', data, reply_to='guest')
        self.bus.send('memory_server', question)
        self._until(lambda: question.id in self.answers, 'the memory server does not answer')
        assert not self.answers[question.id].metadata
        return self.answers[question.id].data


def memory_node(ros: Any, store: Path) -> Any:
    node = ros.add(MemoryServer, parameter_overrides=[Parameter('store', value=str(store))])
    node.trigger_configure()
    node.trigger_activate()
    assert not node.stopped_because
    return node


def test_what_did_you_see_near_the_kitchen_in_the_last_ten_minutes(ros: Any, until: Until, tmp_path: Path) -> None:
    node, guest = memory_node(ros, tmp_path), Asker(ros, until)
    guest.knows('{"kitchen": [4.0, 3.0, 0.0], "hallway": [0.0, 0.0, 0.0]}')
    until(lambda: node._where.places, 'the places did not come')

    def standing() -> bool:
        guest.stands(3.0, 3.0)
        return bool(node._where.pose())
    until(standing, 'the pose did not come')
    guest.bus.publish(guest.tell('camera.front.object', {'label': 'red ball', 'distance_m': 1.0, 'bearing_rad': 0.0}))
    until(lambda: node._memory.episodes.counts()['working'], 'the sighting was not kept')
    (seen,) = guest.ask('retrieve', {'episodes': {'near': 'kitchen', 'last_s': 600}})
    assert (seen['text'], round(seen['x'], 3), seen['y']) == ('red ball', 4.0, 3.0)
    assert guest.ask('retrieve', {'episodes': {'near': 'hallway', 'last_s': 600}}) == []
    (part,) = node.diagnose()
    assert part.values['working'] == '1'


def test_a_folder_that_cannot_be_written_is_said_and_it_works_all_the_same(ros: Any, until: Until,
                                                                           tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    node, guest = memory_node(ros, tmp_path / 'file' / 'below'), Asker(ros, until)
    guest.ask('update', {'state': {'key': 'a', 'value': 1}})
    assert guest.ask('retrieve', {'state': {'key': 'a'}}) == 1
    (part,) = node.diagnose()
    assert 'is lost when this process ends' in part.message


def test_kill_9_of_the_server_loses_no_acknowledged_state(ros: Any, until: Until, tmp_path: Path,
                                                          program: Callable[..., Any]) -> None:
    code = ('import sys; from loom.nodes.memory_server import MemoryServer; from loom.ros.process import run\n'
            'class Active(MemoryServer):\n'
            '    def __init__(self): super().__init__(); self.trigger_configure(); self.trigger_activate()\n'
            'Active.__module__ = "loom.nodes.memory_server"\n'
            f'sys.argv += ["--ros-args", "-r", "__ns:=/{ros.namespace}", "-p", "store:={tmp_path}"]\n'
            'run(Active)')
    guest, acknowledged = Asker(ros, until), 0
    for _ in range(3):
        server = program(code)
        assert guest.ask('retrieve', {'state': {'key': 'n'}}) == (acknowledged or None)
        for _ in range(20):
            guest.ask('update', {'state': {'key': 'n', 'value': acknowledged + 1}})
            acknowledged += 1
        server.end(signal.SIGKILL)
