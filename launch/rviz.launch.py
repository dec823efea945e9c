"""rviz2 with the view of Loom: `ros2 launch loom rviz.launch.py`."""

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

CONFIG = Path(get_package_share_directory('loom')) / 'config' / 'rviz' / 'loom.rviz'
RELATIVE = ['tf', 'tf_static', 'clock']


def start(context):
    """rviz2, or an error that says how to get it."""
    try:
        get_package_share_directory('rviz2')
    except PackageNotFoundError:
        raise RuntimeError('rviz2 is not on this machine, and not on PyPI: install ros-<distro>-rviz2, '
                           'or run rviz2 on another machine of the network') from None
    return [Node(package='rviz2', executable='rviz2', namespace=LaunchConfiguration('namespace'), output='screen',
                 arguments=['-d', str(CONFIG)], remappings=[(f'/{name}', name) for name in RELATIVE])]


def generate_launch_description():
    """The description that ros2 launch runs."""
    return LaunchDescription([
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of the robot to look at'),
        OpaqueFunction(function=start),
    ])
