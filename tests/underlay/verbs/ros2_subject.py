"""A small lifecycle node that the tests of the ``ros2`` verbs look at: ``python ros2_subject.py``."""

import array
import sys
import time

import rclpy
from rcl_interfaces.msg import IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import LaserScan
from simulation_interfaces.action import SimulateSteps
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger


class Subject(LifecycleNode):
    """Has one of everything that the verbs show."""

    def __init__(self) -> None:
        super().__init__('subject', namespace='/lab')
        limits = ParameterDescriptor(integer_range=[IntegerRange(from_value=1, to_value=10, step=1)])
        self.declare_parameter('speed.limit', 3, limits)
        self.declare_parameter('label', 'one')
        self.declare_parameter('gains', [0.5, 1.5])
        self.declare_parameter('fixed', True)
        self.add_on_set_parameters_callback(self.refuse_fixed)
        group = ReentrantCallbackGroup()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.description = self.create_publisher(String, 'description', latched)
        self.description.publish(String(data='a robot'))
        self.scan = self.create_publisher(LaserScan, 'scan', qos_profile_sensor_data)
        self.hidden = self.create_publisher(String, '_helper', 1)
        self.create_subscription(String, 'heard', self.on_heard, 10)
        self.echo = self.create_publisher(String, 'answer', latched)
        self.create_timer(0.05, self.tick, callback_group=group)
        self.create_service(Trigger, 'subject/ping', self.on_ping, callback_group=group)
        self.create_service(SetBool, 'subject/slow', self.on_slow, callback_group=group)
        self.steps = ActionServer(
            self,
            SimulateSteps,
            'subject/simulate',
            self.on_goal,
            goal_callback=lambda goal: GoalResponse.REJECT if goal.steps == 0 else GoalResponse.ACCEPT,
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
            callback_group=group,
        )

    def refuse_fixed(self, parameters: list[Parameter]) -> SetParametersResult:
        """Refuse any change of the parameter 'fixed'."""
        refused = any(parameter.name == 'fixed' for parameter in parameters)
        return SetParametersResult(successful=not refused, reason='it is fixed' if refused else '')

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Succeed."""
        return TransitionCallbackReturn.SUCCESS

    def tick(self) -> None:
        """Publish a scan of 200 rays."""
        scan = LaserScan(angle_increment=0.1, range_max=8.0)
        scan.header.frame_id = 'laser_link'
        scan.header.stamp = self.get_clock().now().to_msg()
        scan.ranges = array.array('f', [float('inf'), *[1.5] * 199])
        self.scan.publish(scan)

    def on_heard(self, message: String) -> None:
        """Answer what was published to it."""
        self.echo.publish(String(data=f'heard {message.data}'))

    def on_ping(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Answer at once."""
        response.success, response.message = True, 'pong'
        return response

    def on_slow(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Answer late where data is true."""
        if request.data:
            time.sleep(4.0)
        response.success = request.data
        return response

    def on_goal(self, handle: ServerGoalHandle) -> SimulateSteps.Result:
        """Make the steps, ten a second."""
        result = SimulateSteps.Result()
        for done in range(handle.request.steps):
            if handle.is_cancel_requested:
                handle.canceled()
                return result
            handle.publish_feedback(
                SimulateSteps.Feedback(completed_steps=done + 1, remaining_steps=handle.request.steps - done - 1)
            )
            time.sleep(0.1)
        handle.succeed()
        result.result.result = 1
        return result


def main() -> int:
    """Run until a signal comes."""
    rclpy.init()
    executor = MultiThreadedExecutor(num_threads=4)
    executor.add_node(Subject())
    sys.stdout.write('ready\n')
    sys.stdout.flush()
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
