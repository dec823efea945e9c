"""Goals set in rviz become mail for the navigator."""

from __future__ import annotations

import math

from geometry_msgs.msg import PoseStamped

from loom.core.delivery import STANDARD
from loom.core.event import Event
from loom.ros.node import LoomNode

FRAMES = ('map', '')


class GoalPose:
    """Hears `goal_pose` and asks the navigator to drive there."""

    def __init__(self, node: LoomNode) -> None:
        self._node = node
        node.subscribe(PoseStamped, 'goal_pose', self._on_goal, STANDARD)

    def _on_goal(self, goal: PoseStamped) -> None:
        if goal.header.frame_id.lstrip('/') not in FRAMES:
            self._node.get_logger().warning(f'a goal must be in the frame map, got {goal.header.frame_id[:80]!r}')
            return
        q, p = goal.pose.orientation, goal.pose.position
        data = {'x': p.x, 'y': p.y, 'yaw': 2 * math.atan2(q.z, q.w)}
        name = self._node.get_name()
        self._node.bus.send('navigator', Event.create(
            'motion.goal', data, source=name, sender=name, stamp_ns=self._node.clock_source.now_ns()))
