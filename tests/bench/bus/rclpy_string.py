"""Bare rclpy, everything by default: std_msgs/String, the quickest of the standard messages that carry 256 bytes."""

from __future__ import annotations

import rclpy
from exchange import Messages, Reader, main
from rclpy.executors import ExternalShutdownException
from std_msgs.msg import String

TOPIC, DEPTH = 'bench/string', 10


def send(messages: Messages) -> None:
    """From a loop, with nothing to spin: the least that a publisher can cost."""
    rclpy.init()
    publisher = rclpy.create_node('sender').create_publisher(String, TOPIC, DEPTH)
    for message in messages:
        publisher.publish(String(data=message.decode()))


def receive(reader: Reader) -> None:
    """With rclpy.spin, as in the tutorials."""
    rclpy.init()
    node = rclpy.create_node('receiver')
    node.create_subscription(
        String, TOPIC, lambda text: reader.read(text.data.encode()) and rclpy.try_shutdown(), DEPTH)
    try:
        rclpy.spin(node)
    except ExternalShutdownException:
        pass


if __name__ == '__main__':
    main(send, receive)
