"""Large messages between nodes: through shared memory, as standard messages, and from one to the other."""

from __future__ import annotations

import os
import signal
import sys
from array import array
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
from loom_msgs.msg import Payload
from rclpy.node import Node
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Int16MultiArray

from loom.core.delivery import SENSOR
from loom.core.errors import PayloadError
from loom.core.handle import decode, encode
from loom.core.ring import MAX_BYTES
from loom.ros.heads import set_bulk
from loom.ros.node import LoomNode
from loom.ros.qos import publisher_profile, subscription_profile
from loom.ros.shared_publisher import SharedPublisher
from loom.ros.shared_subscription import SharedSubscription

Until = Callable[..., None]
TOPIC = 'camera/image'

WRITER = """
import rclpy, sys, time
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Image
from loom.core.delivery import SENSOR
from loom.ros.heads import set_bulk
from loom.ros.shared_publisher import SharedPublisher
rclpy.init()
node = Node('writer', namespace=sys.argv[1])
publisher = SharedPublisher(node, Image, 'camera/image', SENSOR)
image, number = Image(height=1, width=300_000), 0
while True:
    number += 1
    set_bulk(image, np.full(300_000, number % 251, np.uint8))
    image.header.stamp.sec, image.header.frame_id = number, sys.argv[2]
    publisher.publish(image)
    time.sleep(0.01)
"""


def picture(number: int, size: int = 3000) -> Image:
    message = Image(height=1, width=size, step=size, encoding='mono8')
    message.header.stamp.sec, message.header.frame_id = number, 'lens'
    set_bulk(message, np.full(size, number % 251, np.uint8))
    return message


def is_whole(message: Image) -> bool:
    return set(bytes(message.data)) == {message.header.stamp.sec % 251} and len(message.data) == message.width


class Pair:
    """A publisher and what a subscription got from it."""

    def __init__(self, ros: Any) -> None:
        self.ros, self.node, self.other = ros, ros.add(Node, 'sender'), ros.add(Node, 'receiver')
        self.publisher = SharedPublisher(self.node, Image, TOPIC, SENSOR)
        self.got: list[Image] = []
        self.subscription = SharedSubscription(self.other, Image, TOPIC, self.take, SENSOR)
        self.number = 0

    def take(self, message: Image) -> None:
        assert is_whole(message)
        self.got.append(message)
        # What is held can't be written again.
        del self.got[:-3]

    def send(self, condition: Callable[[], Any], size: int = 3000) -> Callable[[], Any]:
        """For `until`: sends another one, and asks."""
        def sent() -> Any:
            self.number += 1
            self.publisher.publish(picture(self.number, size))
            return condition()
        return sent

    def came(self, way: str) -> Callable[[], bool]:
        """Whether one comes that way from now on."""
        before = self.subscription.counts[way]
        return lambda: self.subscription.counts[way] > before + 3


@pytest.fixture
def pair(ros: Any) -> Any:
    both = Pair(ros)
    yield both
    both.subscription.destroy()
    both.publisher.destroy()


def test_pictures_come_through_shared_memory_alone(pair: Pair, until: Until) -> None:
    until(pair.send(pair.came('shared')), 'nothing came through shared memory')
    until(lambda: not pair.publisher._standard.get_subscription_count(), 'the standard topic is still wanted')
    standard = pair.subscription.counts['standard']
    until(pair.send(pair.came('shared')))
    assert pair.subscription.counts['standard'] == standard
    message = pair.got[-1]
    assert (message.header.frame_id, message.encoding) == ('lens', 'mono8') and message.data.readonly


def test_each_picture_comes_once_and_in_order(pair: Pair, until: Until) -> None:
    stamps: list[int] = []
    pair.subscription._callback = lambda message: stamps.append(message.header.stamp.sec)
    until(pair.send(pair.came('shared')))
    assert stamps == sorted(set(stamps))


def test_other_programs_get_the_standard_message(pair: Pair, until: Until) -> None:
    plain: list[Image] = []
    pair.other.create_subscription(Image, TOPIC, plain.append, subscription_profile(SENSOR))
    until(pair.send(lambda: plain and pair.subscription.counts['shared']), 'not both')
    assert is_whole(plain[-1]) and isinstance(plain[-1].data, array)


def test_other_programs_are_heard(ros: Any, until: Until) -> None:
    node, got = ros.add(Node, 'driver'), []
    plain = node.create_publisher(Image, TOPIC, publisher_profile(SENSOR))
    subscription = SharedSubscription(node, Image, TOPIC, got.append, SENSOR)

    def sent() -> bool:
        plain.publish(picture(5))
        return bool(got)
    until(sent)
    assert is_whole(got[0]) and not subscription.counts['shared']
    subscription.destroy()


def test_a_driver_beside_a_publisher_with_handles(pair: Pair, until: Until) -> None:
    until(pair.send(pair.came('shared')))
    driver, frames = pair.node.create_publisher(Image, TOPIC, publisher_profile(SENSOR)), set()
    pair.subscription._callback = lambda message: frames.add(message.header.frame_id)

    def sent() -> bool:
        message = picture(1)
        message.header.frame_id = 'driver'
        driver.publish(message)
        return pair.send(lambda: {'lens', 'driver'} <= frames)()
    until(sent, 'one hides the other')
    pair.node.destroy_publisher(driver)
    until(pair.send(pair.came('shared')), 'handles are not used again')


@pytest.mark.parametrize('change', [{'host': 'elsewhere'}, {'pid': 0}, {'descriptor': 0}, {'writer': 5}],
                         ids=['host', 'namespace', 'file', 'ring'])
def test_memory_out_of_reach_is_replaced_by_copies(pair: Pair, until: Until, change: dict[str, Any]) -> None:
    follow = pair.subscription._on_handle
    until(pair.send(pair.came('shared')))
    pair.subscription._payloads.let_go(0.0)
    pair.subscription._handles.callback = lambda data: follow(encode(decode(data)._replace(**change)))
    until(pair.send(pair.came('standard')), 'no copies came')
    assert pair.subscription.refusal and pair.subscription.counts['refused']
    pair.subscription._handles.callback = follow
    until(pair.send(pair.came('shared')), 'handles are not tried again')


def test_who_is_always_late_gets_copies(pair: Pair, until: Until) -> None:
    follow, waiting = pair.subscription._on_handle, []
    until(pair.send(pair.came('shared')))

    def late(data: bytes) -> None:
        waiting.append(data)
        if len(waiting) > 20:
            follow(waiting.pop(0))
    pair.subscription._handles.callback = late
    until(pair.send(pair.came('standard')), 'no copies came')
    assert pair.subscription.counts['late'] >= 3


def test_what_handlers_keep_stays_as_it_is(pair: Pair, until: Until) -> None:
    kept: list[Image] = []
    pair.subscription._callback = kept.append
    until(pair.send(lambda: len(kept) > 30), 'keeping pictures stops the stream')
    assert all(map(is_whole, kept)) and not pair.subscription.counts['late']


def test_larger_pictures_get_a_larger_ring(pair: Pair, until: Until) -> None:
    def came(size: int) -> bool:
        return bool(pair.got and pair.got[-1].width == size and pair.subscription._standard is None)
    for size in (3000, 50_000, 400_000, 10):
        until(pair.send(partial(came, size), size))
    assert not pair.subscription.counts['refused']


def test_too_large_is_refused_at_the_door(pair: Pair) -> None:
    message = Image()
    set_bulk(message, np.zeros(MAX_BYTES + 1, np.uint8))
    with pytest.raises(PayloadError, match=f"'data' of sensor_msgs/msg/Image .* at most {MAX_BYTES} bytes"):
        pair.publisher.publish(message)


def test_malformed_input_ends_nothing(pair: Pair, until: Until) -> None:
    handles = pair.other.create_publisher(Payload, f'{TOPIC}/shared', publisher_profile(SENSOR))
    standard = pair.other.create_publisher(Image, TOPIC, publisher_profile(SENSOR))

    def sent() -> bool:
        for noise in (b'', b'\0\1\0\0', b'\0\1\0\0' + os.urandom(70), b'\0\1\0\0' + b'\xff' * 60):
            handles.publish(noise)
            standard.publish(noise)
        return pair.subscription.counts['malformed'] > 20
    until(sent, 'it is not counted')
    for publisher in (handles, standard):
        pair.other.destroy_publisher(publisher)
    until(pair.send(pair.came('shared')), 'nothing comes any more')


def test_clouds_and_sound_too(ros: Any, until: Until) -> None:
    node, got = ros.add(Node, 'both'), {}
    cloud, sound = PointCloud2(width=5, is_dense=True), Int16MultiArray(data=[1, -2, 3])
    set_bulk(cloud, np.arange(5, dtype=np.float32))
    pairs = [(SharedPublisher(node, type(m), name, SENSOR), m) for name, m in (('points', cloud), ('sound', sound))]
    subscriptions = [SharedSubscription(node, type(m), name, lambda message, name=name: got.update({name: message}),
                                        SENSOR) for name, m in (('points', cloud), ('sound', sound))]

    def sent() -> bool:
        for publisher, message in pairs:
            publisher.publish(message)
        return all(subscription.counts['shared'] for subscription in subscriptions)
    until(sent)
    assert np.frombuffer(got['points'].data, np.float32).tolist() == [0, 1, 2, 3, 4] and got['points'].is_dense
    assert got['sound'].data.tolist() == [1, -2, 3]
    for part in (*subscriptions, *(publisher for publisher, _ in pairs)):
        part.destroy()


def test_nodes_use_it_without_further_thought(ros: Any, until: Until) -> None:
    got: list[Image] = []

    class Eye(LoomNode):
        def configure(self) -> None:
            self.out = self.publisher(Image, TOPIC, SENSOR)
            self.subscribe(Image, TOPIC, got.append, SENSOR)
    node = ros.add(Eye)
    assert node.trigger_configure().name == 'SUCCESS'
    assert not node.out.get_subscription_count()
    assert node.trigger_activate().name == 'SUCCESS'

    def sent() -> bool:
        node.out.publish(picture(len(got) + 1))
        return node._shared[0].counts['shared'] > 2
    until(sent)
    assert node.trigger_deactivate().name == 'SUCCESS' and not node._shared
    until(lambda: not node.out.get_subscription_count(), 'an inactive node still hears')
    assert node.trigger_cleanup().name == 'SUCCESS'


def test_a_killed_writer_and_its_successor(ros: Any, until: Until, program: Callable[..., Any]) -> None:
    node, frames = ros.add(Node, 'receiver'), set()
    held: list[Image] = []

    def take(message: Image) -> None:
        assert is_whole(message)
        frames.add(message.header.frame_id)
        held[:] = [message]
    subscription = SharedSubscription(node, Image, TOPIC, take, SENSOR)
    def came(name: str, count: int) -> bool:
        return name in frames and subscription.counts['shared'] > count
    for name in ('first', 'second'):
        count = subscription.counts['shared'] + 3
        writer = program(command=[sys.executable, '-c', WRITER, ros.namespace, name])
        until(partial(came, name, count), writer.text, timeout_s=20)
        writer.end(signal.SIGKILL)
        assert is_whole(held[0])
    subscription.destroy()
