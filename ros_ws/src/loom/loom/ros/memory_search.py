"""`memory_server/search`: what the robot remembers, for whoever asks by a service instead of an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time
from loom_msgs.srv import SearchMemory
from rclpy.task import Future

from loom.core.errors import StateError
from loom.core.event import encode
from loom.memory.server import MemoryServer
from loom.memory.store import BUSY, MALFORMED
from loom.ros.convert import stamp_to_ns
from loom.ros.node import LoomNode

EPISODES, NOTES = 'episodes', 'notes'


def serve_search(node: LoomNode, server: Callable[[], MemoryServer]) -> None:
    """Answers while the node is active; the server's own thread does the work."""
    async def search(request: SearchMemory.Request, response: SearchMemory.Response) -> SearchMemory.Response:
        ended: Future[Any] = Future(executor=node.executor)
        server().retrieve(wanted(request)).add_done_callback(ended.set_result)
        done = await ended
        if done.cancelled():
            raise StateError('the memory server ended before it answered; ask again', BUSY)
        response.results = [encode(found).decode() for found in done.result()]
        return response
    node.serve(SearchMemory, 'memory_server/search', search)


def wanted(request: SearchMemory.Request) -> dict[str, Any]:
    """The request as the data of `memory.retrieve`; StateError 406 where it asks for what there is not."""
    kind = request.kind or EPISODES
    limit = {'limit': request.limit} if request.limit else {}
    if kind == NOTES:
        return {NOTES: {'text': request.text, **limit}}
    if kind != EPISODES:
        raise StateError(f'kind must be {EPISODES} or {NOTES}, got {kind[:40]!r}', MALFORMED)
    radius = {'radius_m': request.radius_m} if request.radius_m else {}
    return {EPISODES: {'near': request.near, 'text': request.text, 'since_ns': _bound(request.since),
                       'until_ns': _bound(request.until), **radius, **limit}}


def _bound(stamp: Time) -> int | None:
    return stamp_to_ns(stamp) or None
