"""The simulator node: standard topics with right frames and stamps, cmd_vel, and simulation_interfaces."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import PoseStamped, Twist
from nav_msgs.msg import Odometry
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import BatteryState, CameraInfo, Image, Imu, JointState, LaserScan
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.msg import Bounds, EntityFilters, EntityState, Resource, Result, SimulationState, TagsFilter
from simulation_interfaces.srv import (
    GetCurrentWorld,
    GetEntities,
    GetEntitiesStates,
    GetEntityInfo,
    GetNamedPoses,
    GetSimulationState,
    SetEntityState,
    SetSimulationState,
    SpawnEntity,
)
from tf2_msgs.msg import TFMessage

from loom.core.errors import SimulationError
from loom.ros.service_call import call
from loom.ros.simulation_client import SimulationClient
from loom.sim.pose import Pose

Until = Callable[..., None]
CONE = ('<sdf version="1.9"><model name="cone"><pose>0 0 0 0 0 0</pose>'
        '<link name="l"><inertial><mass>1</mass></inertial>'
        '<collision name="c"><geometry><cylinder><radius>0.1</radius><length>0.4</length></cylinder></geometry>'
        '</collision></link></model></sdf>')


class World:
    """A running simulator and a node that watches it."""

    def __init__(self, ros: Any, sim: Path) -> None:
        from loom.nodes.simulator import Simulator
        parameters = {'world': str(sim / 'worlds' / 'home.sdf'), 'robot': str(sim / 'robots' / 'loom_bot.urdf'),
                      'use_sim_time': True}
        self.simulator = ros.add(Simulator, parameter_overrides=[Parameter(n, value=v) for n, v in parameters.items()])
        self.watcher: Node = ros.add(Node, 'watcher')
        self.client = SimulationClient(self.watcher)
        self.heard: dict[str, list[Any]] = {}

    def hear(self, kind: type[Any], topic: str) -> list[Any]:
        messages = self.heard.setdefault(topic, [])
        self.watcher.create_subscription(kind, topic, messages.append, qos_profile_sensor_data)
        return messages

    def ask(self, kind: type[Any], name: str, **fields: Any) -> Any:
        return call(self.watcher.create_client(kind, name), kind.Request(**fields), 10.0)


@pytest.fixture
def world(ros: Any, sim_folder: Path) -> Iterator[World]:
    world = World(ros, sim_folder)
    world.simulator.trigger_configure()
    world.simulator.trigger_activate()
    yield world
    world.simulator.trigger_deactivate()


def test_every_sensor_is_published_with_its_frame(world: World, until: Until) -> None:
    kinds = {'scan': LaserScan, 'odom': Odometry, 'imu/data_raw': Imu, 'joint_states': JointState,
             'camera/front/image_raw': Image, 'camera/front/depth/image_raw': Image,
             'camera/front/camera_info': CameraInfo, 'battery_state': BatteryState, 'tf': TFMessage, 'clock': Clock}
    for topic, kind in kinds.items():
        world.hear(kind, topic)
    until(lambda: all(len(world.heard[topic]) > 1 for topic in kinds), 'every topic', 20.0)
    first = {topic: messages[-1] for topic, messages in world.heard.items()}
    frames = {topic: message.header.frame_id for topic, message in first.items() if hasattr(message, 'header')}
    assert frames == {'scan': 'laser_link', 'odom': 'odom', 'imu/data_raw': 'imu_link', 'joint_states': '',
                      'camera/front/image_raw': 'camera_front_optical_frame', 'battery_state': '',
                      'camera/front/depth/image_raw': 'camera_front_optical_frame',
                      'camera/front/camera_info': 'camera_front_optical_frame'}
    picture, depth = first['camera/front/image_raw'], first['camera/front/depth/image_raw']
    assert (picture.encoding, picture.width, picture.height, len(picture.data)) == ('rgb8', 320, 240, 320 * 240 * 3)
    assert (depth.encoding, depth.step, len(depth.data)) == ('32FC1', 1280, 320 * 240 * 4)
    assert first['camera/front/camera_info'].k[0] == pytest.approx(160 / math.tan(0.6))
    moved = first['tf'].transforms[0]
    assert (moved.header.frame_id, moved.child_frame_id) == ('odom', 'base_link')
    assert first['odom'].header.stamp.sec < 1000, 'stamps are simulated time when use_sim_time is set'


def test_it_obeys_cmd_vel(world: World, until: Until) -> None:
    odometry = world.hear(Odometry, 'odom')
    publisher = world.watcher.create_publisher(Twist, 'cmd_vel', 1)
    command = Twist()
    command.linear.x = 0.4

    def moved() -> bool:
        publisher.publish(command)
        return bool(odometry) and odometry[-1].pose.pose.position.x > 0.1
    until(moved, 'the robot drives')
    until(lambda: abs(odometry[-1].twist.twist.linear.x) < 0.01, 'the robot stops by itself')


def test_a_command_that_is_no_number_changes_nothing(world: World, until: Until) -> None:
    odometry = world.hear(Odometry, 'odom')
    command = Twist()
    command.linear.x = math.nan
    publisher = world.watcher.create_publisher(Twist, 'cmd_vel', 1)
    until(lambda: publisher.get_subscription_count() and odometry)
    for _ in range(5):
        publisher.publish(command)
    heard = len(odometry)
    until(lambda: len(odometry) > heard + 10)
    assert odometry[-1].pose.pose.position.x == 0.0


def test_the_client_does_it_all(world: World) -> None:
    client = world.client
    assert {0, 1, 10, 11, 20, 24, 26, 31, 32} <= set(client.features())
    assert client.entities('^(red|green)_') == ['green_cube', 'red_ball']
    assert client.spawn('cone', CONE, Pose((-2.0, -1.2, 0.2))) == 'cone'
    assert client.spawn('cone', CONE, Pose((-2.0, -0.6, 0.2))) == 'cone_1'
    assert client.pose('cone').position[:2] == pytest.approx((-2.0, -1.2), abs=0.01)
    client.place('cone', Pose((-2.0, -1.8, 0.2)))
    assert client.pose('cone').position[1] == pytest.approx(-1.8, abs=0.01)
    client.delete('cone')
    client.pause()
    client.pause()
    client.step(500)
    client.play()
    client.reset()
    assert 'cone_1' not in client.entities()
    client.close()


def test_the_client_raises_what_the_simulator_refuses(world: World) -> None:
    with pytest.raises(SimulationError, match="no entity named 'ghost'") as caught:
        world.client.pose('ghost')
    assert caught.value.code == Result.RESULT_NOT_FOUND
    with pytest.raises(SimulationError, match='must be paused') as caught:
        world.client.step(5)
    assert caught.value.code == Result.RESULT_OPERATION_FAILED


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({'name': 'red_ball'}, SpawnEntity.Response.NAME_NOT_UNIQUE),
    ({'name': 'no good'}, SpawnEntity.Response.NAME_INVALID),
    ({'name': ''}, SpawnEntity.Response.NAME_INVALID),
    ({'entity_namespace': '1x'}, SpawnEntity.Response.NAMESPACE_INVALID),
    ({'entity_resource': Resource()}, SpawnEntity.Response.NO_RESOURCE),
    ({'entity_resource': Resource(resource_string='<sdf')}, SpawnEntity.Response.RESOURCE_PARSE_ERROR),
    ({'entity_resource': Resource(resource_string='<robot/>')}, SpawnEntity.Response.UNSUPPORTED_FORMAT),
    ({'entity_resource': Resource(uri='https://x/y.sdf')}, SpawnEntity.Response.UNSUPPORTED_FORMAT),
    ({'entity_resource': Resource(uri='file:///nowhere.sdf')}, SpawnEntity.Response.RESOURCE_PARSE_ERROR),
    ({'frame': 'moon'}, SpawnEntity.Response.INVALID_POSE),
    ({'x': math.nan}, SpawnEntity.Response.INVALID_POSE),
]


def test_spawning_refuses_with_the_codes_of_the_standard(world: World) -> None:
    client = world.watcher.create_client(SpawnEntity, 'spawn_entity')
    for fields, code in REFUSED:
        pose = PoseStamped()
        pose.header.frame_id, pose.pose.position.x = fields.get('frame', ''), fields.get('x', 0.0)
        request = SpawnEntity.Request(name='thing', entity_resource=Resource(resource_string=CONE), initial_pose=pose)
        for name in set(fields) - {'frame', 'x'}:
            setattr(request, name, fields[name])
        result = call(client, request, 10.0).result
        assert (result.result, bool(result.error_message)) == (code, True), fields


def test_the_other_services_answer(world: World) -> None:
    assert world.ask(GetSimulationState, 'get_simulation_state').state.state == SimulationState.STATE_PLAYING
    assert world.ask(GetCurrentWorld, 'get_current_world').world.name == 'home'
    assert 'kitchen' in [pose.name for pose in world.ask(GetNamedPoses, 'get_named_poses').poses]
    assert world.ask(GetEntityInfo, 'get_entity_info', entity='loom_bot').info.category.category == 1
    states = world.ask(GetEntitiesStates, 'get_entities_states', filters=EntityFilters(filter='red'))
    assert [s.header.frame_id for s in states.states] == ['world']


def test_what_it_can_not_do_is_said(world: World) -> None:
    unsupported = Result.RESULT_FEATURE_UNSUPPORTED
    for filters in (EntityFilters(tags=TagsFilter(tags=['x'])), EntityFilters(bounds=Bounds(type=Bounds.TYPE_SPHERE))):
        assert world.ask(GetEntities, 'get_entities', filters=filters).result.result == unsupported
    bad = world.ask(GetEntities, 'get_entities', filters=EntityFilters(filter='('))
    assert bad.result.result == Result.RESULT_OPERATION_FAILED
    pushed = world.ask(SetEntityState, 'set_entity_state', entity='red_ball', set_acceleration=True)
    assert pushed.result.result == unsupported
    nowhere = EntityState()
    nowhere.pose.position.x = math.inf
    lost = world.ask(SetEntityState, 'set_entity_state', entity='red_ball', set_pose=True, state=nowhere)
    assert lost.result.result == SetEntityState.Response.INVALID_POSE
    quitting = world.ask(SetSimulationState, 'set_simulation_state',
                         state=SimulationState(state=SimulationState.STATE_QUITTING))
    assert quitting.result.result == SetSimulationState.Response.INCORRECT_TRANSITION


def test_many_steps_are_an_action_with_feedback(world: World, until: Until) -> None:
    world.client.pause()
    feedback: list[Any] = []
    action = ActionClient(world.watcher, SimulateSteps, 'simulate_steps')
    assert action.wait_for_server(10.0)
    sent = action.send_goal_async(SimulateSteps.Goal(steps=250), feedback_callback=feedback.append)
    until(sent.done, 'the goal is accepted')
    result = sent.result().get_result_async()
    until(result.done, 'the steps are made')
    assert result.result().result.result.result == Result.RESULT_OK
    until(lambda: feedback and feedback[-1].feedback.completed_steps == 250)
    action.destroy()


def test_a_bad_world_is_refused_at_configure(ros: Any, tmp_path: Path) -> None:
    from loom.nodes.simulator import Simulator
    bad = tmp_path / 'bad.sdf'
    bad.write_text('<sdf version="1.9"><world name="w"/></sdf>')
    node = ros.add(Simulator, parameter_overrides=[Parameter('world', value=str(bad))])
    node.trigger_configure()
    assert 'must have <frame name="spawn">' in node.stopped_because
