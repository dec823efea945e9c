"""zenoh: two sessions in peer mode, everything by default, which includes shared memory where it helps."""

from __future__ import annotations

import zenoh
from exchange import Messages, Reader, main

KEY = 'loom/bench'


def send(messages: Messages) -> None:
    """Puts bytes; zenoh moves them into shared memory itself."""
    with zenoh.open(zenoh.Config()) as session:
        publisher = session.declare_publisher(KEY, congestion_control=zenoh.CongestionControl.BLOCK)
        for message in messages:
            publisher.put(message)


def receive(reader: Reader) -> None:
    """Takes bytes, the quickest form that Python gets."""
    with zenoh.open(zenoh.Config()) as session, session.declare_subscriber(KEY) as subscriber:
        for sample in subscriber:
            if reader.read(sample.payload.to_bytes()):
                return


if __name__ == '__main__':
    main(send, receive)
