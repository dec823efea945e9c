"""What goes wrong between processes: floods, stopped and slow readers, datagrams from nowhere; the others go on."""

from __future__ import annotations

import os
import random
import resource
import signal
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.qos import qos_profile_sensor_data  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from loom.core.clock import SystemClock  # noqa: E402
from loom.core.event import Event  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402

Until = Callable[..., None]
MAX_GROWTH_KB = 50 * 1024
DATAGRAMS = 3000
# Fewer than the history of a writer holds: nobody is overtaken within a batch.
BATCH = 20
PING_S = 0.3
RTPS = b'RTPS\x02\x03\x01\x0f'
PARTICIPANTS, PUBLICATIONS = b'\x00\x01\x00\xc7\x00\x01\x00\xc2', b'\x00\x00\x03\xc7\x00\x00\x03\xc2'
HEARTBEAT, DATA, ACKNACK, GAP, INFO_TS, DATA_FRAG = 0x07, 0x15, 0x06, 0x08, 0x09, 0x16
# Answers each ping with its data and what its bus has counted; waits {pause_s} s over each event of test.flow.
ECHO = """
import rclpy, time
from loom.core.event import Event
from loom.ros.bus import RosBus
from loom.ros.process import new_executor
rclpy.init()
node = rclpy.create_node('echo', namespace={namespace!r})
bus = RosBus(node)
heard = [0]

def answer(event):
    data = {{'ping': event.data, 'heard': heard[0], 'counts': bus.counts()}}
    bus.publish(Event.create('test.pong', data, source='echo', stamp_ns=event.stamp_ns))

def flow(event):
    heard[0] += 1
    time.sleep({pause_s})

bus.subscribe('test.ping', answer)
bus.subscribe('test.flow', flow)
executor = new_executor()
executor.add_node(node)
while True:
    executor.spin_once(timeout_sec=0.1)
"""
# 2000 messages a second, ten times what an IMU sends. More than Python handles would delay all that the process hears:
# the queue of rclpy's events executor has no bound (compare ros2/rclcpp#3213).
FLOOD = """
import time
import rclpy
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node('flood', namespace={namespace!r})
profile = QoSProfile(depth=5, reliability=QoSReliabilityPolicy.BEST_EFFORT)
publisher = node.create_publisher(String, 'noise', profile)
text = String(data='x' * 1000)
due_s = time.monotonic()
while True:
    for _ in range(2):
        publisher.publish(text)
    due_s += 0.001
    time.sleep(max(due_s - time.monotonic(), 0.0))
"""

# A participant of another vendor that tells which nodes it has, in a list of a length that nobody can hold.
FORGER = """
import os, time
from dataclasses import dataclass
from cyclonedds.core import Policy, Qos
from cyclonedds.domain import DomainParticipant
from cyclonedds.idl import IdlStruct, annotations, types
from cyclonedds.pub import DataWriter, Publisher
from cyclonedds.topic import Topic

@dataclass
@annotations.final
class Forged(IdlStruct, typename='rmw_dds_common::msg::dds_::ParticipantEntitiesInfo_'):
    gid: types.array[types.uint8, 16]
    length: types.uint32

me = DomainParticipant(int(os.environ['ROS_DOMAIN_ID']))
writer = DataWriter(Publisher(me), Topic(me, 'ros_discovery_info', Forged), Qos(
    Policy.Reliability.Reliable(1_000_000_000), Policy.Durability.TransientLocal, Policy.History.KeepLast(1)))
while (found := len(writer.get_matched_subscriptions())) < 2:
    print(f'{found} of 2', flush=True)
    time.sleep(0.05)
for length in (0xffffffff, 0x7fffffff, 50_000_000, 1):
    writer.write(Forged(list(os.urandom(16)), length))
    time.sleep(0.2)
print('told', flush=True)
time.sleep(60)
"""

class World:
    """This process's bus, a neighbour that hears the same flow, and an echo in a process of its own."""

    def __init__(self, ros: Any, until: Until, program: Callable[..., Any], pause_s: float = 0.0) -> None:
        self.ros, self.until = ros, until
        self.bus = RosBus(ros.add(rclpy.create_node, 'here'))
        self.neighbour = RosBus(ros.add(rclpy.create_node, 'neighbour'))
        self.pongs: list[dict[str, Any]] = []
        self.flow: list[int] = []
        self.bus.subscribe('test.pong', lambda event: self.pongs.append(event.data))
        self.neighbour.subscribe('test.flow', lambda event: self.flow.append(event.data['n']))
        self.echo = program(ECHO.format(namespace=ros.namespace, pause_s=pause_s))
        self.pings = 0
        self.ping()
        self.publish('test.flow', {'n': -1})
        # What a reader misses before the first that it hears of a writer, it can't count.
        until(lambda: self.ping()['heard'] == 1 and self.flow == [-1], 'not everybody hears the flow')

    def publish(self, event_type: str, data: Any) -> None:
        self.bus.publish(Event.create(event_type, data, source='here', stamp_ns=SystemClock().now_ns()))

    def ping(self, timeout_s: float = 10.0) -> dict[str, Any]:
        """What the echo answers; asks again until it does."""
        self.pings += 1
        again_s = 0.0

        def answered() -> bool:
            # Not more often: what DDS has to repair would be overtaken in its history.
            nonlocal again_s
            if time.monotonic() >= again_s:
                again_s = time.monotonic() + PING_S
                self.publish('test.ping', self.pings)
            return any(pong['ping'] == self.pings for pong in self.pongs)
        self.until(answered, f'the echo is deaf: {self.echo.text}', timeout_s=timeout_s)
        return self.pongs[-1]

    def send_flow(self, count: int, echo_too: bool = False) -> None:
        """Publishes so many events; the neighbour must hear each, and the echo where it is said to."""
        begin = len(self.flow)
        heard = self.ping()['heard'] if echo_too else 0
        for number in range(count):
            self.publish('test.flow', {'n': number, 'filling': 'x' * 1000})
            if number % BATCH == BATCH - 1:
                self.until(lambda n=number: len(self.flow) - begin == n + 1, 'the neighbour waits')
                if echo_too:
                    self.until(lambda n=number: self.ping()['heard'] - heard == n + 1, 'the echo has not heard it all')
        assert self.flow[begin:] == list(range(count))


@pytest.fixture
def world(ros: Any, until: Until, program: Callable[..., Any]) -> World:
    return World(ros, until, program)


def resident_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_flood_on_a_best_effort_topic_leaves_events_alone(world: World, program: Callable[..., Any]) -> None:
    noise: list[String] = []
    program(FLOOD.format(namespace=world.ros.namespace))
    world.ros.add(rclpy.create_node, 'hearer').create_subscription(
        String, 'noise', noise.append, qos_profile_sensor_data)
    world.until(lambda: len(noise) > 100, 'no flood')
    world.send_flow(500, echo_too=True)
    assert world.ping()['counts'].get('lost', 0) == 0


def test_a_slow_reader_loses_only_its_own_events_and_counts_them(ros: Any, until: Until,
                                                               program: Callable[..., Any]) -> None:
    world = World(ros, until, program, pause_s=0.02)
    before = resident_kb()
    world.send_flow(2000)
    assert resident_kb() - before < MAX_GROWTH_KB
    assert set(world.neighbour.counts()) == {'delivered'}

    def explained() -> bool:
        last = world.ping()
        gone = sum(last['counts'].get(reason, 0) for reason in ('lost', 'overrun', 'expired', 'shed'))
        return last['heard'] < 2001 and last['heard'] + gone >= 2001
    until(explained, f'it heard and lost less than was sent: {world.pongs[-1]}')


def test_a_stopped_reader_holds_nobody_up_and_is_seen_to_be_gone(world: World) -> None:
    before = resident_kb()
    world.echo.process.send_signal(signal.SIGSTOP)
    try:
        world.send_flow(5000)
        world.until(lambda: 'echo' not in world.ros.nodes[0].get_node_names(), 'it is still in the graph')
        world.send_flow(500)
    finally:
        world.echo.process.send_signal(signal.SIGCONT)
    assert resident_kb() - before < MAX_GROWTH_KB
    world.send_flow(500)


def test_a_reader_that_stopped_for_less_than_its_lease_goes_on(world: World) -> None:
    world.echo.process.send_signal(signal.SIGSTOP)
    for number in range(20):
        world.publish('test.flow', {'n': number, 'filling': ''})
    world.echo.process.send_signal(signal.SIGCONT)
    world.until(lambda: world.ping()['heard'] == 1 + 20, 'it has not heard what came meanwhile')
    world.send_flow(100, echo_too=True)


def ports_of(pid: int) -> list[int]:
    """UDP ports that a process has open."""
    inodes = set()
    for handle in Path(f'/proc/{pid}/fd').iterdir():
        with suppress(OSError):
            inodes.add(os.readlink(handle).removeprefix('socket:[').removesuffix(']'))
    rows = [line.split() for line in Path('/proc/net/udp').read_text().splitlines()[1:]]
    return [int(row[1].split(':')[1], 16) for row in rows if row[9] in inodes]


def datagram(dice: random.Random) -> bytes:
    """Noise, noise behind a true header, or submessages whose numbers are forged."""
    kind = dice.randrange(3)
    if kind == 0:
        return dice.randbytes(dice.randrange(1500))
    header = RTPS + dice.randbytes(12)
    if kind == 1:
        return header + dice.randbytes(dice.randrange(1400))
    return header + b''.join(submessage(dice) for _ in range(dice.randint(1, 4)))


def submessage(dice: random.Random) -> bytes:
    """One with a true kind, built-in entities, and sequence numbers and lengths at their limits."""
    kind = dice.choice((HEARTBEAT, DATA, ACKNACK, GAP, INFO_TS, DATA_FRAG))
    entities = dice.choice((PARTICIPANTS, PUBLICATIONS, dice.randbytes(8)))
    limits = (0, 1, 0x7fffffff, 0x80000000, 0xffffffff)
    numbers = struct.pack('<6I', *(dice.choice(limits) for _ in range(6)))
    body = (struct.pack('<HH', 0, dice.choice((16, 0, 0xffff))) if kind in (DATA, DATA_FRAG) else b'') \
        + entities + numbers + dice.randbytes(dice.randrange(64))
    length = dice.choice((len(body), 0, 0xffff, dice.randrange(0x10000)))
    return struct.pack('<BBH', kind, dice.choice((1, 3, 5, 7, 0xff)), length) + body


def test_datagrams_from_nowhere_hurt_nobody(world: World) -> None:
    dice = random.Random(19)
    ports = ports_of(world.echo.process.pid)
    assert ports
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(DATAGRAMS):
            sender.sendto(datagram(dice), ('127.0.0.1', dice.choice(ports)))
            if number % 500 == 499:
                world.ping()
    assert world.echo.process.poll() is None, world.echo.text
    world.send_flow(100, echo_too=True)


def test_a_forged_list_of_nodes_takes_no_memory(world: World, program: Callable[..., Any]) -> None:
    """Older releases of the ROS layer allocated what the list claims."""
    cyclone = pytest.importorskip('loom.dds.cyclone', exc_type=ImportError)
    before = peak_kb(world.echo.process.pid)
    forger = program(FORGER, CYCLONEDDS_URI=f'{cyclone.TIMING},{cyclone.LOCALHOST}')
    try:
        world.until(lambda: 'told' in forger.text, timeout_s=20.0)
    except AssertionError:
        pytest.fail(f'it does not find both of us: {forger.text[-500:]}')
    world.ping()
    assert peak_kb(world.echo.process.pid) - before < MAX_GROWTH_KB


def peak_kb(pid: int) -> int:
    """The most memory that a process has had."""
    return next(int(line.split()[1]) for line in Path(f'/proc/{pid}/status').read_text().splitlines()
                if line.startswith('VmHWM'))
