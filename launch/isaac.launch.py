"""sim:=isaac: Isaac Sim runs by itself; this says what to load there. config/isaac/topics.yaml lists its topics."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction

SHARE = Path(get_package_share_directory('loom'))


def start(context):
    """What a person has to do in Isaac Sim."""
    world = Path(context.launch_configurations['world']).stem
    scene = SHARE / 'sim' / 'usd' / f'{world}.usdc'
    if not scene.is_file():
        raise RuntimeError(f'there is no USD of the world {world!r}; type: make usd')
    return [LogInfo(msg=f'waiting for Isaac Sim: load {scene} and {scene.parent / "loom_bot.usdc"}, '
                        f'set the topics of {SHARE / "config" / "isaac" / "topics.yaml"}, and press Play')]


def generate_launch_description():
    """The description that ros2 launch runs."""
    return LaunchDescription([
        DeclareLaunchArgument('world', default_value='home', description='World: a name in sim/worlds or an SDF file'),
        OpaqueFunction(function=start),
    ])
