"""The declaration of agents: what is refused, and what the schema says."""

from __future__ import annotations

import pytest

from loom import Agent, Context, Event
from loom.core.errors import CapabilityError, ConfigError, EventError


def test_the_schema_comes_from_the_signature() -> None:
    agent = Agent('walker')

    @agent.capability
    async def patrol(ctx: Context, laps: int = 1) -> str:
        """Walk the patrol route this many times.

        More of it.
        """
        return ''

    capability = agent.card().capabilities[0]
    assert capability.description == 'Walk the patrol route this many times.'
    assert capability.schema['properties']['laps'] == {'default': 1, 'title': 'Laps', 'type': 'integer'}
    assert capability.schema['additionalProperties'] is False


def test_a_capability_without_docstring_is_refused_with_its_place() -> None:
    with pytest.raises(CapabilityError, match=r'test_agent\.py:\d+: a capability needs a docstring'):
        @Agent('a').capability
        async def nothing(ctx: Context) -> None:
            pass


def test_a_capability_without_type_hints_is_refused_with_its_place() -> None:
    with pytest.raises(CapabilityError, match=r"test_agent\.py:\d+: .*'speed' of 'run' has none"):
        @Agent('a').capability
        async def run(ctx: Context, speed) -> None:  # type: ignore[no-untyped-def]
            """Run."""


def test_a_plain_function_is_refused() -> None:
    with pytest.raises(CapabilityError, match='must be `async def`'):
        @Agent('a').on('a.b')
        def handle(ctx: Context, event: Event) -> None:
            pass


@pytest.mark.parametrize('name', ['', 'a.b', 'Guard', '9'])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises((ConfigError, EventError)):
        Agent(name)


def test_two_capabilities_of_one_name_are_refused() -> None:
    agent = Agent('a')

    async def go(ctx: Context) -> None:
        """Go."""

    agent.capability(go)
    with pytest.raises(CapabilityError, match="already has a capability named 'go'"):
        agent.capability(go)


def test_periods_and_patterns_are_checked() -> None:
    with pytest.raises(ConfigError, match='a period must be from'):
        Agent('a').every(0)
    with pytest.raises(ConfigError, match='at least one pattern'):
        Agent('a').on()
    with pytest.raises(EventError, match='pattern'):
        Agent('a', listens=('Bad Pattern',))
