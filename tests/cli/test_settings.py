"""The parameter file that is shipped: every node, every setting, and nothing that a node would refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from loom.core.config import load

FILE = Path(__file__).parents[2] / 'config' / 'loom.yaml'


def test_the_shipped_file_is_complete_and_valid() -> None:
    pytest.importorskip('rclpy')
    import loom.nodes
    from loom.cli.settings import node_names
    from loom.ros.process import node_class
    shipped = {name.removeprefix('/**/'): content['ros__parameters']
               for name, content in yaml.safe_load(FILE.read_text()).items()}
    configs = {name: node_class(name).Config for name in node_names(Path(loom.nodes.__file__).parent)}
    assert {name: set(values) for name, values in shipped.items()} == {
        name: set(config.model_fields) for name, config in configs.items() if config.model_fields}
    for name, values in shipped.items():
        load(configs[name], values, name)
