"""Loom: an Event over RosBus, with envelope, account and trace; 256 bytes of text, as the String beside it has."""

from __future__ import annotations

from exchange import Messages, Reader, main
from loom_process import spinner_of

from loom.core.event import Event
from loom.ros.bus import RosBus
from loom.ros.clock import RosClock

TYPE = 'bench.message'


def send(messages: Messages) -> None:
    """From a loop, while the executor serves what the bus itself does."""
    with spinner_of('sender') as spinner:
        node, messages.rest = spinner.node, spinner.rest
        bus, clock = RosBus(node), RosClock(node.get_clock())
        for message in messages:
            bus.publish(Event.create(TYPE, source='sender', stamp_ns=clock.now_ns(), payload=bytes(message),
                                     content_type='text/plain'))
        bus.close()


def receive(reader: Reader) -> None:
    """The handler reads the payload."""
    def handle(event: Event) -> None:
        if reader.read(event.payload):
            spinner.ended = True
    with spinner_of('receiver') as spinner:
        node = spinner.node
        bus = RosBus(node)
        bus.subscribe(TYPE, handle)
        spinner.until_ended()
        bus.close()


if __name__ == '__main__':
    main(send, receive)
