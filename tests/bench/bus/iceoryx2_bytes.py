"""iceoryx2: a slice of bytes in shared memory and an event that wakes the receiver."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import iceoryx2 as iox2
from exchange import Messages, Reader, main

PREFIX = 'loom_bench_'


def services() -> tuple[Any, Any, Any]:
    """The node (which must live on), the topic and the event beside it."""
    iox2.set_log_level(iox2.LogLevel.Error)
    config = iox2.config.default()
    # What it leaves behind is then found: in the folder of this round, and in shared memory by its name.
    config.global_cfg.root_path, config.global_cfg.prefix = iox2.Path.new(str(Path.cwd())), iox2.FileName.new(PREFIX)
    node = iox2.NodeBuilder.new().config(config).create(iox2.ServiceType.Ipc)
    name = iox2.ServiceName.new('loom/bench')
    topic = node.service_builder(name).publish_subscribe(iox2.Slice[ctypes.c_uint8]).open_or_create()
    return node, topic, node.service_builder(name).event().open_or_create()


def send(messages: Messages) -> None:
    """Writes into the loaned sample."""
    _node, topic, event = services()
    publisher, notifier = None, event.notifier_builder().create()
    for message in messages:
        publisher = publisher or topic.publisher_builder().initial_max_slice_len(len(message)).create()
        sample = publisher.loan_slice_uninit(len(message))
        ctypes.memmove(sample.payload().as_ptr(), (ctypes.c_char * len(message)).from_buffer(message), len(message))
        sample.assume_init().send()
        notifier.notify()


def receive(reader: Reader) -> None:
    """Reads where the sample lies."""
    _node, topic, event = services()
    subscriber, listener = topic.subscriber_builder().create(), event.listener_builder().create()
    while True:
        listener.timed_wait(iox2.Duration.from_secs(1))
        while (sample := subscriber.receive()) is not None:
            last = reader.read(sample.payload().as_memory_view())
            sample.delete()
            if last:
                return


if __name__ == '__main__':
    main(send, receive)
