"""Bare rclpy, everything by default: sensor_msgs/Image, filled the fastest way that its setter allows."""

from __future__ import annotations

from array import array

import rclpy
from exchange import Messages, Reader, main
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image

TOPIC, DEPTH = 'bench/image', 10


def send(messages: Messages) -> None:
    """From a loop, with nothing to spin: the least that a publisher can cost."""
    rclpy.init()
    publisher = rclpy.create_node('sender').create_publisher(Image, TOPIC, DEPTH)
    for message in messages:
        image = Image(height=1, width=len(message), step=len(message), encoding='mono8')
        image.data = array('B', message)
        publisher.publish(image)


def receive(reader: Reader) -> None:
    """With rclpy.spin, as in the tutorials."""
    rclpy.init()
    node = rclpy.create_node('receiver')
    node.create_subscription(Image, TOPIC, lambda image: reader.read(image.data) and rclpy.try_shutdown(), DEPTH)
    try:
        rclpy.spin(node)
    except ExternalShutdownException:
        pass


if __name__ == '__main__':
    main(send, receive)
