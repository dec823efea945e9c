"""Gazebo with the world and the robot, and the bridge that gives its topics the robot's names.

By itself: `ros2 launch loom gazebo.launch.py world:=/path/home.sdf`; bringup.launch.py includes it for sim:=gazebo.
"""

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from loom.ros.sim_files import robot_path, world_path
from loom.sim.world import read_world

SHARE = Path(get_package_share_directory('loom'))
ARGUMENTS = [
    ('namespace', '', 'Namespace of the robot'),
    ('world', 'home', 'World: a name in sim/worlds or the path of an SDF file'),
    ('robot', 'loom_bot', 'Robot: a name in sim/robots or the path of a URDF file'),
    ('gui', 'false', 'Open the window of Gazebo'),
]


def start(context):
    """Server, robot and bridge, or an error that says what is missing."""
    try:
        gazebo = Path(get_package_share_directory('ros_gz_sim'))
        get_package_share_directory('ros_gz_bridge')
    except PackageNotFoundError:
        raise RuntimeError('sim:=gazebo needs ros_gz_sim and ros_gz_bridge, which are not on PyPI: '
                           'install ros-<distro>-ros-gz, or use sim:=mujoco') from None
    values = context.launch_configurations
    world = world_path(values['world'])
    spawn = read_world(world).spawn
    x, y, z = spawn.position
    window = '' if values['gui'] == 'true' else '-s '
    return [
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(gazebo / 'launch' / 'gz_sim.launch.py')),
            launch_arguments={'gz_args': f'{window}-r {world}', 'on_exit_shutdown': 'true'}.items()),
        Node(package='ros_gz_sim', executable='create', output='screen', arguments=[
            '-file', str(robot_path(values['robot'])), '-name', 'loom_bot',
            '-x', f'{x}', '-y', f'{y}', '-z', f'{z + 0.01}', '-Y', f'{spawn.yaw}']),
        Node(package='ros_gz_bridge', executable='parameter_bridge', name='gazebo_bridge', output='screen',
             namespace=LaunchConfiguration('namespace'),
             parameters=[{'config_file': str(SHARE / 'config' / 'gazebo' / 'bridge.yaml')}]),
    ]


def generate_launch_description():
    """The description that ros2 launch runs."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=value, description=text) for name, value, text in ARGUMENTS),
        OpaqueFunction(function=start),
    ])
