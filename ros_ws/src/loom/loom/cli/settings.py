"""loom settings: the parameter file of all nodes, written from their settings classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from pydantic.fields import FieldInfo

from loom.core.config import NodeConfig
from loom.ros.parameters import bounds, choices

HEADER = """\
# Every setting of every node, with its default. A launch argument or LOOM_<NODE>_<PARAMETER> in the environment beats
# this file. Unknown names and values out of range are refused at start.
"""


def document(nodes: Iterable[tuple[str, type[NodeConfig]]]) -> str:
    """YAML in the form that ROS 2 reads, one key for each node."""
    return HEADER + '\n'.join(text for name, config in nodes if (text := _node(name, config)))


def node_names(folder: Path) -> list[str]:
    """The nodes that a folder of node files holds."""
    return sorted(path.stem for path in folder.glob('[a-z]*.py') if path.stem not in ('container', 'keeper'))


def _node(name: str, config: type[NodeConfig]) -> str:
    lines = [line for field, info in config.model_fields.items() for line in _field(field, info)]
    return '\n'.join([f'\n/**/{name}:', '  ros__parameters:', *lines, '']) if lines else ''


def _field(name: str, field: FieldInfo) -> Iterator[str]:
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    value = yaml.safe_dump(default, default_flow_style=True, width=1000).splitlines()[0]
    low, high = bounds(field)
    allowed = choices(field)
    limits = f' [{low}..{high}]' if low is not None and high is not None else ''
    limits = f' [{"|".join(allowed)}]' if allowed else limits
    yield f'    # {field.description}{limits}'
    yield f'    {name}: {value}'


def settings() -> None:
    """Print the parameter file with every node's settings, defaults and descriptions."""
    import loom.nodes
    from loom.ros.process import node_class
    names = node_names(Path(loom.nodes.__file__).parent)
    print(document((name, node_class(name).Config) for name in names), end='')
