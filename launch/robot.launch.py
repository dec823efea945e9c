"""The robot's processes, from the table in config/processes.yaml. Included by bringup.launch.py."""

import os
import shutil
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import OpaqueFunction, Shutdown
from launch_ros.actions import Node

from loom.memory.memory import state_folder
from loom.ros.bringup import processes, start_order

TABLE = Path(get_package_share_directory('loom')) / 'config' / 'processes.yaml'


def simulated(namespace):
    """What differs in simulation: every simulator publishes the pictures, and a world that is new has no past."""
    past = state_folder() / 'simulation' / os.environ.get('ROS_DOMAIN_ID', '0') / (namespace.strip('/') or 'robot')
    shutil.rmtree(past, ignore_errors=True)
    return {'LOOM_CAMERA_SOURCE': 'topic', 'LOOM_MEMORY_SERVER_STORE': str(past)}


def start(context):
    """One launch_ros Node for each process of the chosen form."""
    values = context.launch_configurations
    environment = {
        'LOOM_SIMULATOR_WORLD': values['world'],
        'LOOM_SIMULATOR_ROBOT': values['robot'],
        'LOOM_MAP_SERVER_WORLD': values['world'],
        'LOOM_ROBOT_STATE_ROBOT': values['robot'],
        'LOOM_AGENT_HOST_MISSION': values['mission'],
        'LOOM_SUPERVISOR_NODES': str(start_order(TABLE, values['sim'])),
        'LOOM_SUPERVISOR_AUTOSTART': values['autostart'],
        **({} if values['sim'] == 'none' else simulated(values['namespace'])),
    }
    return [
        Node(
            package='loom', executable='container', arguments=nodes, output='screen', namespace=values['namespace'],
            exec_name=name, parameters=[values['params_file'], {'use_sim_time': values['use_sim_time'] == 'true'}],
            remappings=[('/clock', 'clock')] if values['namespace'] else [],
            ros_arguments=['--log-level', values['log_level']], additional_env=environment,
            on_exit=[Shutdown(reason=f'{name} ended, and the robot needs it')])
        for name, nodes in processes(TABLE, values['processes'], values['sim']).items()]


def generate_launch_description():
    """The description that ros2 launch runs."""
    return LaunchDescription([OpaqueFunction(function=start)])
