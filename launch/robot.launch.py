"""The keeper, with the robot's processes from the table in config/processes.yaml. Included by bringup.launch.py."""

import os
import shutil
import time
from functools import partial
from uuid import uuid4

from launch import LaunchDescription
from launch.actions import OpaqueFunction, Shutdown
from launch_ros.actions import Node

from loom.core.folders import state_folder
from loom.supervise.name_lock import hold

RESTARTS, WINDOW_S = 5, 60.0
# What is to happen once in a launch is known by it, whatever is started again.
LAUNCH = uuid4().hex


def environment(values):
    """What the launch arguments say about single nodes."""
    simulation = values['sim'] != 'none'
    return {
        'LOOM_SIMULATOR_WORLD': values['world'],
        'LOOM_SIMULATOR_ROBOT': values['robot'],
        'LOOM_MAP_SERVER_WORLD': values['world'],
        'LOOM_ROBOT_STATE_ROBOT': values['robot'],
        'LOOM_AGENT_HOST_MISSION': values['mission'],
        'LOOM_LAUNCH': LAUNCH,
        **({'LOOM_CAMERA_SOURCE': 'topic', **simulated(past(values['namespace']))} if simulation else {}),
    }


def simulated(folder):
    """Where a simulated robot keeps what it remembers and has done, and the simulator its world."""
    return {'LOOM_STATE_FOLDER': str(folder), 'LOOM_SIMULATOR_RESUME': str(folder / 'world')}


def past(namespace):
    """The folder of a simulated robot."""
    return state_folder() / 'simulation' / os.environ.get('ROS_DOMAIN_ID', '0') / (namespace.strip('/') or 'robot')


def forget(context):
    """A world that is new has no past; ConfigError where the robot is up already: its past is not over."""
    hold(context.launch_configurations['namespace']).close()
    shutil.rmtree(past(context.launch_configurations['namespace']), ignore_errors=True)


def start(context, deaths=()):
    """The keeper, which has the robot's processes run; `deaths` are when earlier ones were killed."""
    values = context.launch_configurations
    plan = [f'--{name}={values[name]}' for name in ('processes_file', 'processes', 'sim', 'autostart')]
    return [Node(
        package='loom', executable='keeper', arguments=plan, output='screen', namespace=values['namespace'],
        exec_name='robot', parameters=[values['params_file'], {'use_sim_time': values['use_sim_time'] == 'true'}],
        remappings=[('/clock', 'clock')] if values['namespace'] else [],
        ros_arguments=['--log-level', values['log_level']], additional_env=environment(values),
        on_exit=partial(ended, deaths))]


def ended(deaths, event, context):
    """A keeper that was killed comes back, unless too often; one that ended itself had its reason: the launch ends."""
    now_s = time.monotonic()
    deaths = (*(death_s for death_s in deaths if now_s - death_s < WINDOW_S), now_s)
    if event.returncode < 0 and len(deaths) <= RESTARTS:
        return start(context, deaths)
    return [Shutdown(reason='the robot has ended')]


def generate_launch_description():
    """The description that ros2 launch runs."""
    return LaunchDescription([OpaqueFunction(function=forget), OpaqueFunction(function=start)])
