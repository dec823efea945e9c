"""Lifecycle nodes that are brought up by launch events."""

import signal

import pytest

pytestmark = pytest.mark.usefixtures('stand_in')

NODE = """
import signal
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn


class Driver(LifecycleNode):
    def on_configure(self, state):
        print('configured', flush=True)
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state):
        print('activated', flush=True)
        return super().on_activate(state)


rclpy.init()
try:
    rclpy.spin(Driver('unnamed'))
except (KeyboardInterrupt, ExternalShutdownException):
    rclpy.try_shutdown()
"""
ENTITIES = """
    (driver := LifecycleNode(package='demo', executable='driver', name='driver', namespace='/lab', output='screen')),
    RegisterEventHandler(OnStateTransition(
        target_lifecycle_node=driver, start_state='configuring', goal_state='inactive',

        entities=[LogInfo(msg=['<', LocalSubstitution('event.goal_state'), '>']),
                  change(Transition.TRANSITION_ACTIVATE)])),
    RegisterEventHandler(OnStateTransition(
        target_lifecycle_node=driver, goal_state='active', entities=[LogInfo(msg='<active>')])),
    change(Transition.TRANSITION_CONFIGURE),
"""
BEFORE = """
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events import matches_node_name
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

def change(transition):
    matcher = matches_node_name('/lab/driver')
    return EmitEvent(event=ChangeState(lifecycle_node_matcher=matcher, transition_id=transition))
"""


def test_a_node_is_configured_and_activated_by_events(workspace):
    pytest.importorskip('rclpy')
    workspace.env.update(ROS_DOMAIN_ID='31', ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST')
    workspace.add_executable('driver', NODE)
    path = workspace.root / 'lib/demo/driver'
    path.write_text(path.read_text().replace(' -S\n', '\n', 1))
    launched = workspace.launch_entities(ENTITIES, before=BEFORE)
    launched.wait_for('<active>')
    launched.wait_for('activated')
    assert '<inactive>' in launched.output
    assert '[driver-1] configured' in launched.output
    assert launched.end(signal.SIGINT) == 0
