"""What happens to ROS nodes, and what is asked of them."""

from . import lifecycle
from .matchers import matches_node_name

__all__ = ['lifecycle', 'matches_node_name']
