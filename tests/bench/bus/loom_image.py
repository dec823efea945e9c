"""Loom: the standard sensor_msgs/Image topic, heard by an ordinary rclpy subscription in Loom's environment."""

from __future__ import annotations

from exchange import Reader, main
from loom_picture import TOPIC, send
from loom_process import spinner_of
from sensor_msgs.msg import Image

from loom.core.delivery import SENSOR
from loom.ros.qos import subscription_profile


def receive(reader: Reader) -> None:
    """As rviz and other people's nodes hear it."""
    def saw(image: Image) -> None:
        if reader.read(image.data):
            spinner.ended = True
    with spinner_of('receiver') as spinner:
        node = spinner.node
        node.create_subscription(Image, TOPIC, saw, subscription_profile(SENSOR))
        spinner.until_ended()


if __name__ == '__main__':
    main(send, receive)
