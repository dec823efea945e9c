"""The participant of a process: one for all nodes that come and go, until the process ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from burial import bury_the_dead  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from loom.ros.participant import process_context  # noqa: E402

Until = Callable[..., None]
LAST_NODE_GOES = """
import sys, time
import rclpy
from loom.ros.participant import hold
rclpy.init()
node = rclpy.create_node('last', namespace=sys.argv[1])
print('began', flush=True)
sys.stdin.readline()
hold()
node.destroy_node()
print('went', flush=True)
time.sleep(60)
"""

DEPARTS = """
import sys
import rclpy
from std_msgs.msg import String
from loom.core.leaving import leave
from loom.ros.participant import depart, hold
rclpy.init()
hold()
node = rclpy.create_node('leaver', namespace=sys.argv[1])
publisher = node.create_publisher(String, 'out', 1)
print('began', flush=True)
sys.stdin.readline()
depart()
leave(0)
"""
# The lease of Loom's profile is 10 s.
AT_ONCE_S = 4.0


def test_there_is_one_context_for_each_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    first = process_context()
    assert process_context() is first
    monkeypatch.setenv('ROS_DOMAIN_ID', '37')
    assert process_context() is not first


def test_a_node_that_goes_leaves_nothing_on_the_graph(ros: Any, until: Until) -> None:
    guest, node = ros.add(rclpy.create_node, 'guest'), ros.add(rclpy.create_node, 'short')
    node.create_publisher(String, 'out', 10)
    until(lambda: guest.count_publishers('out') == 1)
    space = guest.get_namespace()
    ros.remove(node)
    until(lambda: ('short', space) not in guest.get_node_names_and_namespaces())
    left = [name for name, _ in guest.get_topic_names_and_types() if name.startswith(space) and 'rosout' not in name]
    assert not left and not [n for n, _ in guest.get_service_names_and_types() if n.startswith(f'{space}/short')]


def test_the_last_node_goes_and_the_participant_stays(ros: Any, until: Until) -> None:
    guest = ros.add(rclpy.create_node, 'guest')
    space = guest.get_namespace()
    with subprocess.Popen([sys.executable, '-c', LAST_NODE_GOES, ros.namespace], stdin=subprocess.PIPE,
                          text=True) as process:
        try:
            until(lambda: ('last', space) in guest.get_node_names_and_namespaces())
            assert process.stdin is not None
            process.stdin.write('\n')
            process.stdin.flush()
            until(lambda: ('last', space) not in guest.get_node_names_and_namespaces())
            held = f'_participant_{process.pid}_'
            until(lambda: any(name.startswith(held) for name in guest.get_node_names()))
        finally:
            process.kill()
            bury_the_dead(process.pid)
        until(lambda: not any(name.startswith(held) for name in guest.get_node_names()))


@pytest.fixture
def leaver(ros: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that departs, with all its nodes, when it is told a line."""
    with subprocess.Popen([sys.executable, '-c', DEPARTS, ros.namespace], stdin=subprocess.PIPE,
                          text=True) as process:
        yield process
        process.kill()


def test_who_departs_is_gone_before_its_lease_is_over(ros: Any, until: Until, leaver: subprocess.Popen[str]) -> None:
    guest = ros.add(rclpy.create_node, 'guest')
    until(lambda: guest.count_publishers('out') == 1)
    leaver.communicate('\n')
    until(lambda: guest.count_publishers('out') == 0 and 'leaver' not in guest.get_node_names(), timeout_s=AT_ONCE_S)


def test_cyclone_hears_of_it_too(ros: Any, until: Until, leaver: subprocess.Popen[str],
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    cyclone = pytest.importorskip('loom.dds.cyclone', exc_type=ImportError)
    monkeypatch.setenv('CYCLONEDDS_URI', f'{cyclone.TIMING},{cyclone.LOCALHOST}')
    from cyclonedds.domain import DomainParticipant
    from cyclonedds.sub import DataReader
    from cyclonedds.topic import Topic
    me = DomainParticipant(int(os.environ['ROS_DOMAIN_ID']))
    text = cyclone._type('std_msgs::msg::dds_::String_')
    reader = DataReader(me, Topic(me, f'rt/{ros.namespace}/out', text))
    until(lambda: len(reader.get_matched_publications()) == 1)
    leaver.communicate('\n')
    until(lambda: not reader.get_matched_publications(), timeout_s=AT_ONCE_S)
