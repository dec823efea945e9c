"""Where events and mailboxes live among the topics of a robot, the same on every bus."""

from __future__ import annotations

from loom.core.patterns import check_type

EVENTS = 'loom/events/'


def topic_of(event_type: str) -> str:
    """The topic on which events of this type travel."""
    return EVENTS + event_type.replace('.', '/')


def type_of(topic: str) -> str:
    """The event type that travels on a topic of events."""
    return topic.removeprefix(EVENTS).replace('/', '.')


def mailbox_of(address: str) -> str:
    """The topic of a mailbox."""
    return f'loom/agents/{check_type(address)}/inbox'
