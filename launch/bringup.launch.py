"""Brings the whole robot up: `ros2 launch loom bringup.launch.py`, in simulation unless told otherwise."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PythonExpression

from loom.ros.bringup import check_arguments, parameter_file
from loom.ros.sim_files import robot_path, world_path

SHARE = Path(get_package_share_directory('loom'))
SWITCH = ['true', 'false']
ARGUMENTS = [
    ('namespace', '', 'Names of this robot go below it, so that several share one network', None),
    ('use_sim_time', 'auto', 'Follow the clock topic; auto: in simulation', ['auto', *SWITCH]),
    ('params_file', str(SHARE / 'config' / 'loom.yaml'), 'Parameters of all nodes', None),
    ('autostart', 'true', 'Activate the nodes at once; else by the supervisor service', SWITCH),
    ('log_level', 'info', 'Least severe messages that are printed', ['debug', 'info', 'warn', 'error', 'fatal']),
    ('processes_file', str(SHARE / 'config' / 'processes.yaml'), 'Processes, and how they are supervised', None),
    ('processes', 'few', 'All nodes in one process, in a few, or each in its own', ['one', 'few', 'many']),
    ('sim', 'mujoco', 'What stands for the robot; none: the robot itself', ['mujoco', 'gazebo', 'isaac', 'none']),
    ('world', 'home', 'World and floor plan: a name in sim/worlds or the path of an SDF file', None),
    ('robot', 'loom_bot', 'Robot: a name in sim/robots or the path of a URDF file', None),
    ('rviz', 'false', 'Open rviz2 with the view of Loom', SWITCH),
    ('record', 'false', 'Record all topics with ros2 bag', SWITCH),
    ('mission', '', 'Mission to carry out once all is up, e.g. fetch_report', None),
]


def check(context):
    """Refuses what is wrong before anything starts."""
    values = context.launch_configurations
    check_arguments(name for name, *_ in ARGUMENTS)
    parameter_file(values['params_file'])
    context.launch_configurations['world'] = str(world_path(values['world']).resolve())
    context.launch_configurations['robot'] = str(robot_path(values['robot']).resolve())
    if values['use_sim_time'] == 'auto':
        context.launch_configurations['use_sim_time'] = 'false' if values['sim'] == 'none' else 'true'


def include(name, argument='', value=''):
    """Another launch file of this package, if the argument has the value; it sees the same arguments."""
    given = PythonExpression(["'", LaunchConfiguration(argument), f"' == '{value}'"]) if argument else 'true'
    source = PythonLaunchDescriptionSource(str(SHARE / 'launch' / name))
    return IncludeLaunchDescription(source, condition=IfCondition(given))


def generate_launch_description():
    """The description that ros2 launch runs."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text, choices=choices)
          for name, default, text, choices in ARGUMENTS),
        OpaqueFunction(function=check),
        include('environment.launch.py'),
        include('gazebo.launch.py', 'sim', 'gazebo'),
        include('isaac.launch.py', 'sim', 'isaac'),
        include('robot.launch.py'),
        include('record.launch.py', 'record', 'true'),
        include('rviz.launch.py', 'rviz', 'true'),
    ])
