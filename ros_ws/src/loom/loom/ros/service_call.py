"""Calls a service and waits for its answer, with a deadline, from any thread but the executor's."""

from __future__ import annotations

import threading
import time
from typing import Any

from rclpy.client import Client
from rclpy.exceptions import InvalidHandle

from loom.core.errors import DeadlineError

POLL_S = 0.02


def call(client: Client[Any, Any], request: Any, timeout_s: float) -> Any:
    """The response of a service; DeadlineError where it isn't there or doesn't answer in time."""
    deadline = time.monotonic() + timeout_s
    while not client.service_is_ready():
        if time.monotonic() > deadline:
            raise DeadlineError(f'{client.srv_name} was not served within {timeout_s:.1f} s')
        time.sleep(POLL_S)
    done = threading.Event()
    try:
        future = client.call_async(request)
    except InvalidHandle:
        raise DeadlineError(f'{client.srv_name} was not called: this node is ending') from None
    future.add_done_callback(lambda _: done.set())
    if not done.wait(max(0.0, deadline - time.monotonic())):
        client.remove_pending_request(future)
        raise DeadlineError(f'{client.srv_name} did not answer within {timeout_s:.1f} s')
    return future.result()
