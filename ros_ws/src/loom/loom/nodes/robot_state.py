"""robot_state: the robot's description and the transforms of its links, in simulation and on hardware."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from loom.core.config import NodeConfig
from loom.core.delivery import SENSOR, STATE, TRANSFORM
from loom.ros.convert import stamp_to_ns
from loom.ros.node import OK, WARN, LoomNode, Part
from loom.ros.process import run
from loom.ros.sim_convert import transform
from loom.ros.sim_files import robot_path
from loom.sim.urdf import read_skeleton


class RobotStateConfig(NodeConfig):
    """Settings of robot_state."""

    robot: str = Field('loom_bot', description='Name in sim/robots or path of a URDF file.')
    rate_hz: float = Field(20.0, gt=0, le=100, description='Transforms of the moving links a second, at most.')


class RobotState(LoomNode):
    """Publishes `robot_description`, `tf_static` of the fixed joints, and `tf` of the others from `joint_states`."""

    Config = RobotStateConfig
    config: RobotStateConfig

    def configure(self) -> None:
        """Reads the URDF."""
        self._skeleton = read_skeleton(robot_path(self.config.robot))
        self._moving = {joint.name: joint for joint in self._skeleton.joints if joint.type != 'fixed'}
        self._description = self.publisher(String, 'robot_description', STATE)
        self._static = self.publisher(TFMessage, 'tf_static', STATE)
        self._tf = self.publisher(TFMessage, 'tf', TRANSFORM)
        self._period_ns, self._last_ns = round(1e9 / self.config.rate_hz), 0
        self.subscribe(JointState, 'joint_states', self._on_joints, SENSOR)

    def activate(self) -> None:
        """Publishes what does not change."""
        stamp = self.get_clock().now().to_msg()
        self._description.publish(String(data=self._skeleton.text))
        self._static.publish(TFMessage(transforms=[
            transform(joint.parent, joint.child, joint.origin, stamp)
            for joint in self._skeleton.joints if joint.type == 'fixed']))

    def _on_joints(self, message: JointState) -> None:
        # A clock that jumps back, as at a reset, must not silence the transforms.
        if 0 <= stamp_to_ns(message.header.stamp) - self._last_ns < self._period_ns:
            return
        self._last_ns = stamp_to_ns(message.header.stamp)
        moved = [transform(joint.parent, joint.child, joint.at(position), message.header.stamp)
                 for name, position in zip(message.name, message.position) if (joint := self._moving.get(name))]
        self._tf.publish(TFMessage(transforms=moved))

    def diagnose(self) -> Iterable[Part]:
        """Whether joint states come."""
        heard = self._last_ns > 0 or not self._moving
        yield Part('joints', OK if heard else WARN, '' if heard else 'no joint_states yet',
                   {'links': str(len(self._skeleton.links)), 'moving': str(len(self._moving))})


def main() -> None:
    """Runs the node."""
    run(RobotState)


if __name__ == '__main__':
    main()
