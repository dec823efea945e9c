"""The section `supervision` of config/processes.yaml, checked at load."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from loom.core.errors import ConfigError, nearest

# An entry of a node that only ever stands in for another has no more than these: the rest is that other's.
OF_A_FALLBACK = {'restarts', 'window_s', 'standby'}


class _Settings(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True, allow_inf_nan=False, strict=True)

    @model_validator(mode='before')
    @classmethod
    def _known(cls, values: Any) -> Any:
        for name in map(str, values if isinstance(values, dict) else ()):
            if name not in cls.model_fields:
                raise ValueError(f'no setting named {name!r}{nearest(name, list(cls.model_fields))}')
        return values


class NodeSettings(_Settings):
    """What is special about a node."""

    needs: list[str] = Field([], description='Nodes that must be active first.')
    standby: Literal['cold', 'warm'] = Field('cold', description='warm: a spare process takes its place at once.')
    restarts: int | None = Field(None, ge=0, le=1000, description='More failures than this open the breaker ...')
    window_s: float | None = Field(None, gt=0, le=86400, description='... within this time.')
    on_failure: Literal['escalate', 'degrade', 'safe', 'shutdown'] = Field(
        'escalate', description='When the breaker opens: its group fails, it stays down, or the robot stops.')
    fallback: str = Field('', description='Node that takes its place before on_failure is asked.')


class GroupSettings(_Settings):
    """Nodes and groups that fail together; each failure is one whose breaker opened in it."""

    strategy: Literal['one_for_one', 'rest_for_one', 'one_for_all'] = Field(
        'one_for_one', description='Who is started again with a node: none, those that need it, the whole group.')
    nodes: list[str] = Field([], description='Its nodes.')
    groups: dict[str, GroupSettings] = Field({}, description='Groups inside it.')
    restarts: int = Field(3, ge=0, le=1000, description='How often the whole group may be started again ...')
    window_s: float = Field(600.0, gt=0, le=86400, description='... within this time.')
    on_failure: Literal['escalate', 'degrade', 'safe', 'shutdown'] = Field(
        'escalate', description='After that: the group around it fails, it stays down, or the robot stops.')


class RootSettings(GroupSettings):
    """The whole robot."""

    on_failure: Literal['safe', 'shutdown'] = Field('safe', description='What the robot does in the end.')


class Supervision(_Settings):
    """How the processes of the robot are watched, and what follows from their failures."""

    heartbeat_s: float = Field(1.0, gt=0, le=60, description='Silence after which a process is taken for hung.')
    start_s: float = Field(20.0, gt=0, le=600, description='A transition may take this long.')
    end_s: float = Field(1.5, gt=0, le=60, description='From SIGTERM to SIGKILL.')
    spares: int = Field(1, ge=0, le=16, description='Warm standbys.')
    max_children: int = Field(64, ge=0, le=4096, description='Processes that a process may have begun itself.')
    restarts: int = Field(5, ge=0, le=1000, description='More failures of a node than this open its breaker ...')
    window_s: float = Field(60.0, gt=0, le=86400, description='... within this time.')
    backoff_s: float = Field(0.0, ge=0, le=600, description='Wait before the first restart in a window.')
    backoff_step_s: float = Field(0.25, ge=0, le=600, description='Before the second; doubled each time ...')
    backoff_max_s: float = Field(8.0, ge=0, le=600, description='... up to this, and before that of a group.')
    safe_state: list[str] = Field([], description='Nodes that stay active in the safe state.')
    tree: RootSettings = RootSettings.model_validate({})
    nodes: dict[str, NodeSettings] = {}

    def of(self, node: str) -> NodeSettings:
        """What is special about a node."""
        return self.nodes.get(node) or NodeSettings.model_validate({})

    def wait_s(self, failures: int) -> float:
        """Wait before the restart that follows a node's so many failures in its window."""
        if failures <= 1:
            return min(self.backoff_s, self.backoff_max_s)
        return min(self.backoff_step_s * 2.0 ** (failures - 2), self.backoff_max_s)


def load(values: object, known: Collection[str], owner: str = 'supervision') -> Supervision:
    """The settings; `known` are all nodes there may be, on this robot or another. ConfigError names each fault."""
    try:
        settings = Supervision.model_validate({} if values is None else values)
    except ValidationError as error:
        raise ConfigError(f'{owner}: ' + '; '.join(_fault(fault) for fault in error.errors())) from None
    faults = [*_unknown(settings, known), *_grouped_twice(settings), *_bad_fallbacks(settings),
              *_unsafe_needs(settings)]
    if not faults:
        try:
            in_order(settings.nodes, {node: entry.needs for node, entry in settings.nodes.items()})
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError(f'{owner}: ' + '; '.join(faults))
    return settings


def groups_of(group: GroupSettings, place: str = 'tree') -> Iterator[tuple[str, GroupSettings]]:
    """The group and all inside it, each with its place in the file."""
    yield place, group
    for name, inner in group.groups.items():
        yield from groups_of(inner, f'{place}.groups.{name}')


def in_order(nodes: Iterable[str], needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The nodes and all they need, as given except that each comes after what it needs."""
    done: dict[str, None] = {}

    def visit(node: str, chain: tuple[str, ...]) -> None:
        if node in chain:
            circle = ' -> '.join((*chain[chain.index(node):], node))
            raise ConfigError(f'nodes.{node}.needs: must not lead back to itself, got {circle}')
        if node not in done:
            for need in needs.get(node, ()):
                visit(need, (*chain, node))
            done[node] = None

    for node in nodes:
        visit(node, ())
    return tuple(done)


def _fault(fault: Any) -> str:
    place = '.'.join(map(str, fault['loc'])) or 'the section'
    if fault['type'] == 'value_error':
        return f'{place}: {fault["ctx"]["error"]}'
    return f'{place}: {fault["msg"][0].lower()}{fault["msg"][1:]}, got {reprlib.repr(fault["input"])}'


def _unknown(settings: Supervision, known: Collection[str]) -> Iterator[str]:
    named = [('nodes', list(settings.nodes)), ('safe_state', settings.safe_state)]
    named += [(f'{place}.nodes', group.nodes) for place, group in groups_of(settings.tree)]
    for node, entry in settings.nodes.items():
        fallback = [entry.fallback] if entry.fallback else []
        named += [(f'nodes.{node}.needs', entry.needs), (f'nodes.{node}.fallback', fallback)]
    for place, nodes in named:
        yield from (f'{place}: no node named {node!r}{nearest(node, list(known))}' for node in nodes
                    if node not in known)


def _grouped_twice(settings: Supervision) -> Iterator[str]:
    places: dict[str, str] = {}
    for place, group in groups_of(settings.tree):
        for node in group.nodes:
            if node in places:
                yield f'{place}.nodes: a node is in one group, and {node!r} is in {places[node]}.nodes already'
            places[node] = place


def _unsafe_needs(settings: Supervision) -> Iterator[str]:
    for node in settings.safe_state:
        for need in settings.of(node).needs:
            if need not in settings.safe_state:
                yield f'safe_state: {node!r} needs {need!r}, which must be in it too'


def _bad_fallbacks(settings: Supervision) -> Iterator[str]:
    users: dict[str, str] = {}
    for node, entry in settings.nodes.items():
        fallback, place = entry.fallback, f'nodes.{node}.fallback'
        if fallback == node:
            yield f'{place}: must be another node, got {node!r}'
        elif fallback and fallback in users:
            yield f'{place}: a node stands in for one other, and {fallback!r} does for {users[fallback]!r}'
        elif fallback and (special := settings.of(fallback).model_fields_set - OF_A_FALLBACK):
            yield f'nodes.{fallback}.{min(special)}: it stands in for {node!r} and has what that has; leave it out'
        users[fallback] = node
