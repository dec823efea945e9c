"""The DDS participant of a process: it ends with the process and is never taken apart before.

Fast DDS 3.2 spins for good, with Python's lock held, where a participant is removed while it hears that something of
another one came or went (eProsima/Fast-DDS#6513). So nodes go one by one, which everybody hears at once, the empty
participant stays, and the last thing that the process says is that it is gone: `depart`, then
`loom.core.leaving.leave`. Of who is killed, the keeper says it (`loom.supervise.obituary`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from loom.core.event import new_id
from loom.supervise.obituary import PREFIX_BYTES, say_gone

# rclpy 9 leaves the two endpoints of that service behind when a node goes.
NO_TYPE_SERVICE = ['--ros-args', '-p', 'start_type_description_service:=false']


@dataclass(frozen=True)
class Participant:
    """One that is kept by a hidden node; the DDS ids of all its endpoints begin with `prefix`, 12 bytes or unknown."""

    node: Node
    prefix: bytes
    domain: int


_held: list[Participant] = []


def process_context() -> Context:
    """The one context of this process for nodes that come and go, on the domain that the environment names."""
    return _context(os.environ.get('ROS_DOMAIN_ID', '0'))


@cache
def _context(domain: str) -> Context:
    context = Context()
    rclpy.init(context=context, args=NO_TYPE_SERVICE, signal_handler_options=SignalHandlerOptions.NO)
    hold(context)
    return context


def prefix_of(context: Context) -> bytes:
    """What the ids of the endpoints in a context begin with; empty where nobody holds its participant."""
    return next((one.prefix for one in _held if one.node.context is context), b'')


def forget() -> list[Participant]:
    """The participants held, which are the caller's from now on; the next `process_context` is another."""
    _context.cache_clear()
    given, _held[:] = list(_held), []
    return given


def hold(context: Context | None = None) -> Participant:
    """Keeps the context's participant, whatever becomes of its nodes: by a hidden node that nobody removes."""
    # No other process of the domain has this name, on other machines neither.
    name = f'_participant_{os.getpid()}_{new_id()[-8:]}'
    node = Node(name, context=context, cli_args=NO_TYPE_SERVICE, enable_rosout=False, use_global_arguments=False,
                start_parameter_services=False)
    known = node.get_publishers_info_by_topic('parameter_events')
    prefix = next((bytes(one.endpoint_gid)[:PREFIX_BYTES] for one in known if one.node_name == name), b'')
    _held.append(Participant(node, prefix, node.context.get_domain_id()))
    return _held[-1]


def depart() -> None:
    """Tells all others that the participants held are gone; the process must end right after."""
    for one in _held:
        if one.prefix:
            say_gone(one.prefix, one.domain)
