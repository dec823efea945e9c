"""The directory between values and messages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

pytest.importorskip('rclpy')

from loom import Agent, Context
from loom.ros.directory import cards_of, directory_of


def test_cards_come_back_as_they_went() -> None:
    agent = Agent('guard', listens=('camera.*.person',))

    @agent.capability
    async def patrol(ctx: Context, laps: int = 1) -> dict[str, int]:
        """Walk."""
        return {}

    @agent.capability(timeout_s=1.0)
    async def count(ctx: Context) -> AsyncIterator[int]:
        """Count."""
        yield 1

    message = directory_of('host', [agent.card()], 1_000_000_000)
    assert cards_of(message) == (agent.card(),)
    assert (message.host, message.stamp.sec) == ('host', 1)
