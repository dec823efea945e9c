"""The same bus for processes that have no ROS."""

from loom.dds.bus import DdsBus
from loom.dds.process import run

__all__ = ['DdsBus', 'run']
