"""A tree of six nodes for tests of the roster."""

from __future__ import annotations

import yaml

from loom.supervise.roster import SUPERVISOR
from loom.supervise.settings import load
from loom.supervise.tree import Tree

# host needs broker and safety, broker needs memory; nobody needs display.
NODES = (SUPERVISOR, 'memory', 'safety', 'broker', 'host', 'display')
OTHERS = NODES[1:]
SECTION = """
safe_state: [safety]
nodes:
  broker: {needs: [memory]}
  host: {needs: [broker, safety]}
"""


def tree() -> Tree:
    return Tree(load(yaml.safe_load(SECTION), NODES), NODES)
