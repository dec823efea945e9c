"""Loom: sensor_msgs/Image through the payload store, a handle on the topic and the picture in shared memory."""

from __future__ import annotations

from exchange import Messages, Reader, main
from loom_process import spinner_of
from sensor_msgs.msg import Image

from loom.core.delivery import SENSOR
from loom.ros.heads import set_bulk
from loom.ros.shared_publisher import SharedPublisher
from loom.ros.shared_subscription import SharedSubscription

TOPIC = 'bench/picture'


def send(messages: Messages) -> None:
    """Nodes publish so whatever is large."""
    with spinner_of('sender') as spinner:
        node, messages.rest = spinner.node, spinner.rest
        publisher = SharedPublisher(node, Image, TOPIC, SENSOR)
        for message in messages:
            image = Image(height=1, width=len(message), step=len(message), encoding='mono8')
            set_bulk(image, message)
            publisher.publish(image)
        publisher.destroy()


def receive(reader: Reader) -> None:
    """The callback reads where the picture lies."""
    def saw(image: Image) -> None:
        if reader.read(image.data):
            spinner.ended = True
    with spinner_of('receiver') as spinner:
        node = spinner.node
        subscription = SharedSubscription(node, Image, TOPIC, saw, SENSOR)
        spinner.until_ended()
        subscription.destroy()


if __name__ == '__main__':
    main(send, receive)
