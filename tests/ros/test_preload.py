"""What is loaded before the fork: a first node, and what it logs, load nothing more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip('rclpy')

CODE = """
import sys
from loom.ros.preload import preload
preload(['robot_state'])
import rclpy
from loom.ros.process import new_executor, node_maker
rclpy.init()
executor = new_executor()
before = set(sys.modules)
node = node_maker('robot_state')()
executor.add_node(node)
print(node.trigger_configure().name, node.trigger_activate().name, node.trigger_deactivate().name)
print(sorted(set(sys.modules) - before), 'lark' in sys.modules)
node.end()
node.destroy_node()
rclpy.shutdown()
"""


def test_a_first_node_finds_all_loaded() -> None:
    done = subprocess.run([sys.executable, '-c', CODE], capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.stdout.split('\n')[:2] == ['SUCCESS SUCCESS SUCCESS', '[] False'], done.stderr
