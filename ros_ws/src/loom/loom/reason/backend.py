"""What every model looks like to the router."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from loom.reason.answer import Answer, Request

OnToken = Callable[[str], None]
Cancelled = Callable[[], bool]


class Backend(Protocol):
    """One way to answer; `tasks` it can do, `local` when nothing leaves this machine."""

    name: str
    tasks: tuple[str, ...]
    local: bool

    def infer(self, request: Request, on_token: OnToken, cancelled: Cancelled) -> Answer:
        """The answer, in pieces through `on_token` where it comes in pieces; ModelError where it can't.

        Blocks; must end soon after the request's deadline or when `cancelled()`.
        """
        ...
