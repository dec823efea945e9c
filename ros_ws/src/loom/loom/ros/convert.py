"""Conversions between ROS messages and Loom's values."""

from __future__ import annotations

import array

from builtin_interfaces.msg import Time
from loom_msgs.msg import Event as EventMessage
from loom_msgs.msg import KeyValue

from loom.core.clock import NANOSECONDS
from loom.core.event import Event


def stamp_to_ns(stamp: Time) -> int:
    """Nanoseconds of a stamp."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def ns_to_stamp(nanoseconds: int) -> Time:
    """The stamp of nanoseconds since the clock's epoch."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    return Time(sec=seconds, nanosec=rest)


def event_to_message(event: Event) -> EventMessage:
    """The event as it travels."""
    message = EventMessage(
        id=event.id, type=event.type, source=event.source, stamp=ns_to_stamp(event.stamp_ns),
        thread_id=event.thread_id, correlation_id=event.correlation_id, sender=event.sender, reply_to=event.reply_to,
        hops=event.hops, hop_limit=event.hop_limit, expires=ns_to_stamp(event.expires_ns), priority=event.priority,
        confidence=event.confidence, tags=list(event.tags),
        metadata=[KeyValue(key=k, value=v) for k, v in event.metadata.items()],
        traceparent=event.traceparent, tracestate=event.tracestate, content_type=event.content_type,
        reference_topic=event.reference_topic, reference_stamp=ns_to_stamp(event.reference_stamp_ns))
    message.payload = array.array('B', event.payload)
    return message


def message_to_event(message: EventMessage) -> Event:
    """The event that a message carries; its rules are checked by whoever delivers it."""
    return Event(
        id=message.id, type=message.type, source=message.source, stamp_ns=stamp_to_ns(message.stamp),
        thread_id=message.thread_id, correlation_id=message.correlation_id, sender=message.sender,
        reply_to=message.reply_to, hops=message.hops, hop_limit=message.hop_limit,
        expires_ns=stamp_to_ns(message.expires), priority=message.priority, confidence=message.confidence,
        tags=tuple(message.tags), metadata={pair.key: pair.value for pair in message.metadata},
        traceparent=message.traceparent, tracestate=message.tracestate, content_type=message.content_type,
        payload=bytes(message.payload), reference_topic=message.reference_topic,
        reference_stamp_ns=stamp_to_ns(message.reference_stamp))
