"""The DDS participant of a process: it ends with the process and is never taken apart before.

Fast DDS 3.2 spins for good, with Python's lock held, where a participant is removed while it hears that something of
another one came or went (eProsima/Fast-DDS#6513). So nodes go one by one, which everybody hears at once, the empty
participant stays, and others drop it when its lease is over. The process then ends by `loom.core.leaving.leave`.
"""

from __future__ import annotations

import os
from functools import cache

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

# rclpy 9 leaves the two endpoints of that service behind when a node goes.
NO_TYPE_SERVICE = ['--ros-args', '-p', 'start_type_description_service:=false']
_held: list[Node] = []


def process_context() -> Context:
    """The one context of this process for nodes that come and go, on the domain that the environment names."""
    return _context(os.environ.get('ROS_DOMAIN_ID', '0'))


@cache
def _context(domain: str) -> Context:
    context = Context()
    rclpy.init(context=context, args=NO_TYPE_SERVICE, signal_handler_options=SignalHandlerOptions.NO)
    hold(context)
    return context


def forget() -> list[Node]:
    """The hidden nodes, which are the caller's from now on; the next `process_context` is another."""
    _context.cache_clear()
    given, _held[:] = list(_held), []
    return given


def hold(context: Context | None = None) -> None:
    """Keeps the context's participant, whatever becomes of its nodes: by a hidden node that nobody removes."""
    _held.append(Node(f'_participant_{os.getpid()}', context=context, cli_args=NO_TYPE_SERVICE, enable_rosout=False,
                      use_global_arguments=False, start_parameter_services=False))
