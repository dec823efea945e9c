"""What a host tells of its agents and hears of all others; hosts of one executor hear it together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip('rclpy')

from directory_reader import read

from loom.agents.directory import AgentCard, Directory
from loom.ros.directory import TOPIC, HostDirectory
from loom.ros.node import LoomNode

Until = Callable[..., None]


class Teller(LoomNode):
    """A host whose agents the test says."""

    __module__ = 'nodes.teller'
    cards: tuple[AgentCard, ...] = (AgentCard('anna'),)

    def configure(self) -> None:
        self.agents = HostDirectory(self, lambda: self.cards)

    def activate(self) -> None:
        self.agents.open()

    def deactivate(self) -> None:
        self.agents.close()


def test_a_host_tells_of_its_agents_when_they_change_and_hears_of_all(ros: Any, until: Until) -> None:
    reader = read(ros)
    first, second = (ros.add(Teller, node_name=name) for name in ('first', 'second'))
    assert first.get_name() == 'first' and not second.cards[0].host
    for node in (first, second):
        node.trigger_configure()
        node.trigger_activate()
    both = [('anna', 'active', 'first'), ('anna', 'active', 'second')]
    until(lambda: both == sorted((card.id, card.state, card.host) for card in first.agents.now().cards()))
    second.cards = (AgentCard('anna', 'inactive'),)
    until(lambda: [card.host for card in reader.directory.find(state='inactive')] == ['second'])
    second.trigger_deactivate()
    assert second.agents.now() == Directory()
    second.trigger_cleanup()
    until(lambda: [card.host for card in first.agents.now().find(state='gone')] == ['second'])


def test_hosts_of_an_executor_share_a_reader_that_outlives_the_first(ros: Any, until: Until) -> None:
    nodes = [ros.add(Teller, node_name=name) for name in ('first', 'second', 'third')]

    def readers() -> list[str]:
        return [info.node_name for info in nodes[0].get_subscriptions_info_by_topic(TOPIC)]

    def heard(node: Teller) -> list[str]:
        return sorted(card.host for card in node.agents.now().find(state='active'))
    for node in nodes:
        node.trigger_configure()
        node.trigger_activate()
    until(lambda: heard(nodes[2]) == ['first', 'second', 'third'])
    assert readers() == ['first']
    nodes[0].trigger_deactivate()
    assert {'second', 'third'} <= set(heard(nodes[2])), 'what was heard is not there any more'
    nodes[0].trigger_cleanup()
    until(lambda: readers() == ['second'])
    until(lambda: heard(nodes[2]) == heard(nodes[1]) == ['second', 'third'])
    for node in nodes[1:]:
        node.trigger_deactivate()
        assert node.agents.now() == Directory()
    until(lambda: not readers())
