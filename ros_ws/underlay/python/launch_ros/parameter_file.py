"""Temporary YAML files that carry parameters to nodes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from tempfile import NamedTemporaryFile
from typing import Any

import yaml
from launch.launch_context import LaunchContext


class _Dumper(yaml.SafeDumper):
    """Writes no anchors, which the parameter parser of ROS does not read."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values twice."""
        return True


def write_temporary_file(context: LaunchContext, text: str) -> str:
    """Return the path of a new file with the text; it is removed when the launch has ended."""
    with NamedTemporaryFile(mode='w', prefix='launch_params_', suffix='.yaml', delete=False, encoding='utf-8') as file:
        context.cleanups.append(lambda: _remove(file.name))
        file.write(text)
    return file.name


def write_parameter_file(context: LaunchContext, node: str, parameters: Mapping[str, Any]) -> str:
    """Return the path of a new file that gives a node (``/**`` for any) its parameters."""
    document = {node: {'ros__parameters': dict(parameters)}}
    return write_temporary_file(context, yaml.dump(document, Dumper=_Dumper, default_flow_style=False))


def _remove(path: str) -> None:
    """Remove a file, if it is still there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
