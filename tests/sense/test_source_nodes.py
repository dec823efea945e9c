"""Camera, salience, gateway and synthetic source as nodes."""

from __future__ import annotations

import array
import json
import math
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from loom.core.event import Event
from loom.core.trace import message_trace, trace_id
from loom.sense.pictures import decode, picture_from

Until = Callable[..., None]


def made(ros: Any, node_class: type[Any], **parameters: Any) -> Any:
    from rclpy.parameter import Parameter
    return ros.add(node_class, parameter_overrides=[Parameter(k, value=v) for k, v in parameters.items()])


def up(ros: Any, node_class: type[Any], **parameters: Any) -> Any:
    node = made(ros, node_class, **parameters)
    assert node.trigger_configure().name == 'SUCCESS', node.stopped_because
    assert node.trigger_activate().name == 'SUCCESS', node.stopped_because
    return node


def image(pixels: np.ndarray, encoding: str, seconds: int) -> Any:
    from sensor_msgs.msg import Image
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding, step=pixels.strides[0])
    message.header.stamp.sec = seconds
    message.data = array.array('B', pixels.tobytes())
    return message


@pytest.fixture
def film(tmp_path: Path) -> str:
    writer = cv2.VideoWriter(str(tmp_path / 'film.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 20.0, (64, 48))
    for shade in (50, 100, 150):
        writer.write(np.full((48, 64, 3), (0, 0, shade), np.uint8))
    writer.release()
    return str(tmp_path / 'film.avi')


def test_a_film_becomes_images_and_small_ones_while_wanted(ros: Any, until: Until, film: str) -> None:
    from sensor_msgs.msg import CameraInfo, CompressedImage, Image

    from loom.core.delivery import SENSOR
    from loom.nodes.camera import Camera
    from loom.ros.qos import subscription_profile
    node = up(ros, Camera, source='video', path=film, rate_hz=30.0, frame='lens')
    raw: list[Any] = []
    infos: list[Any] = []
    small: list[Any] = []
    for kind, topic, into in ((Image, 'camera/front/image_raw', raw), (CameraInfo, 'camera/front/camera_info', infos),
                              (CompressedImage, 'camera/front/image_raw/compressed', small)):
        node.create_subscription(kind, topic, into.append, subscription_profile(SENSOR))
    until(lambda: len(raw) > 3 and infos and small, 'no pictures')
    picture = picture_from(raw[0].data, raw[0].encoding, raw[0].height, raw[0].width, raw[0].step)
    assert picture.pixels.shape == (48, 64, 3) and raw[0].header.frame_id == 'lens'
    assert infos[0].width == 64 and infos[0].k[0] == pytest.approx(32 / math.tan(0.6))
    assert decode(bytes(small[0].data)).shape == (48, 64, 3) and small[0].header.stamp.sec > 0
    until(lambda: float(next(iter(node.diagnose())).values['hz']) > 5, 'no rate')


def test_a_missing_camera_is_refused(ros: Any) -> None:
    from loom.nodes.camera import Camera
    node = made(ros, Camera, source='video', path='/dev/video99')
    assert node.trigger_configure().name == 'FAILURE' and '/dev/video99' in node.stopped_because


def test_pictures_of_others_get_a_small_companion(ros: Any, until: Until) -> None:
    from sensor_msgs.msg import CompressedImage, Image

    from loom.core.delivery import SENSOR
    from loom.nodes.camera import Camera
    from loom.ros.qos import publisher_profile, subscription_profile
    node = up(ros, Camera)
    assert 'no pictures come' in next(iter(node.diagnose())).message
    small: list[Any] = []
    raw = node.create_publisher(Image, 'camera/front/image_raw', publisher_profile(SENSOR))
    node.create_subscription(CompressedImage, 'camera/front/image_raw/compressed', small.append,
                             subscription_profile(SENSOR))
    seconds = iter(range(1, 10**6))

    def sent_and_seen() -> bool:
        raw.publish(image(np.full((24, 32, 3), 90, np.uint8), 'rgb8', next(seconds)))
        return bool(small)
    until(sent_and_seen, 'no small picture')
    assert decode(bytes(small[0].data)).shape == (24, 32, 3)


def test_streams_become_events(ros: Any, until: Until) -> None:
    from sensor_msgs.msg import BatteryState, CameraInfo, Image, Imu
    from std_msgs.msg import Bool

    from loom.core.delivery import SENSOR, STATE
    from loom.nodes.salience import Salience
    from loom.ros.qos import publisher_profile
    node = up(ros, Salience)
    events: dict[str, Event] = {}
    for kind in ('camera.front.object', 'camera.front.obstacle', 'motion.bump', 'power.low'):
        node.bus.subscribe(kind, lambda event: events.setdefault(event.type, event))
    names = {'camera/front/camera_info': CameraInfo, 'camera/front/image_raw': Image, 'imu/data_raw': Imu,
             'camera/front/depth/image_raw': Image, 'battery_state': BatteryState}
    topics = {name: node.create_publisher(kind, name, publisher_profile(SENSOR)) for name, kind in names.items()}
    info = CameraInfo()
    info.k = np.array([230, 0, 160, 0, 230, 120, 0, 0, 1], float)
    pixels = np.full((240, 320, 3), 140, np.uint8)
    pixels[100:140, 140:180] = (220, 10, 10)
    depth = np.full((240, 320), 0.3, np.float32)
    seconds = iter(range(1, 10**6))

    def sent_and_told() -> bool:
        second = next(seconds)
        topics['camera/front/camera_info'].publish(info)
        topics['camera/front/depth/image_raw'].publish(image(depth, '32FC1', second))
        topics['camera/front/image_raw'].publish(image(pixels, 'rgb8', second))
        imu = Imu()
        imu.header.stamp.sec = second
        imu.linear_acceleration.x = 20.0 * (second % 2)
        topics['imu/data_raw'].publish(imu)
        topics['battery_state'].publish(BatteryState(percentage=0.1))
        return len(events) == 4
    node.create_publisher(Bool, 'bumper', publisher_profile(STATE)).publish(Bool(data=True))
    until(sent_and_told, 'not all events came')
    found = events['camera.front.object']
    assert found.data['label'] == 'red cube' and abs(found.data['distance_m'] - 0.3) < 0.02
    assert found.reference_topic.endswith('/camera/front/image_raw') and found.reference_stamp_ns == found.stamp_ns
    assert events['motion.bump'].priority == 200
    # The trace and the chain begin with the picture, which knows nothing of either.
    stamp_ns = found.reference_stamp_ns
    assert trace_id(found.traceparent) == trace_id(message_trace(found.reference_topic, stamp_ns, ''))
    assert found.origin_ns == stamp_ns and [hop.stage for hop in found.path] == ['salience']
    assert int(next(iter(node.diagnose())).values['pictures']) > 0


def test_a_malformed_image_ends_nothing(ros: Any, until: Until) -> None:
    from sensor_msgs.msg import CameraInfo, Image

    from loom.core.delivery import SENSOR
    from loom.nodes.salience import Salience
    from loom.ros.qos import publisher_profile
    node = up(ros, Salience)
    raw = node.create_publisher(Image, 'camera/front/image_raw', publisher_profile(SENSOR))
    info = node.create_publisher(CameraInfo, 'camera/front/camera_info', publisher_profile(SENSOR))
    intrinsics = CameraInfo()
    intrinsics.k = np.array([230, 0, 160, 0, 230, 120, 0, 0, 1], float)
    bad = image(np.zeros((4, 4, 3), np.uint8), 'rgb8', 5)
    bad.width = 4000

    def sent_and_counted() -> bool:
        bad.header.stamp.sec += 1
        info.publish(intrinsics)
        raw.publish(bad)
        return node._failures > 0
    until(sent_and_counted, 'the fault is not counted')
    assert 'must have step' in node._last_failure


def test_programs_without_ros_can_speak(ros: Any, until: Until) -> None:
    from loom.nodes.network_gateway import NetworkGateway
    node = up(ros, NetworkGateway)
    heard: list[Event] = []
    node.bus.subscribe('text.typed', heard.append)
    until(lambda: node.count_subscribers('loom/events/text/typed'))
    part = next(iter(node.diagnose()))
    assert int(part.values['port']) not in (0, 8770)
    request = urllib.request.Request(part.message, json.dumps({'type': 'text.typed', 'data': {'text': 'go'}}).encode(),
                                     {'Content-Type': 'application/json'})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 202
    until(lambda: heard, 'the event does not come')
    assert heard[0].data == {'text': 'go'}
    assert node.trigger_deactivate().name == 'SUCCESS'
    assert not node._gateway._thread.is_alive()
    assert node.trigger_activate().name == 'SUCCESS'


@pytest.mark.parametrize(('parameters', 'reason'), [
    ({'host': '0.0.0.0'}, 'loopback'), ({'allowed_types': ['Bad']}, 'pattern')])
def test_a_gateway_for_the_world_is_refused(ros: Any, parameters: dict[str, Any], reason: str) -> None:
    from loom.nodes.network_gateway import NetworkGateway
    node = made(ros, NetworkGateway, **parameters)
    assert node.trigger_configure().name == 'FAILURE' and reason in node.stopped_because


def test_synthetic_events_are_numbered(ros: Any, until: Until) -> None:
    from loom.nodes.synthetic import Synthetic
    node = up(ros, Synthetic, rate_hz=500.0, size_bytes=10, type='load.test')
    heard: list[Event] = []
    node.bus.subscribe('load.test', heard.append)
    until(lambda: len(heard) > 50, 'no events')
    numbers = [event.data['number'] for event in heard]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) and heard[0].data['filling'] == 'x' * 10
