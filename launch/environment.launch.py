"""The environment that every process of Loom gets: it must be set before they start."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import OpaqueFunction, SetEnvironmentVariable

from loom.ros.shared_memory import reclaim

VARIABLES = {
    # Pictures cross processes through shared memory in one piece.
    'FASTDDS_DEFAULT_PROFILES_FILE': str(Path(get_package_share_directory('loom')) / 'config' / 'dds' / 'fastdds.xml'),
    'LOOM_QOS_FILE': str(Path(get_package_share_directory('loom')) / 'config' / 'qos.yaml'),
    # Large buffers are kept instead of being mapped and unmapped for every picture: half the time of a 900 kB message.
    'MALLOC_MMAP_THRESHOLD_': '67108864',
    'MALLOC_TRIM_THRESHOLD_': '134217728',
    'MALLOC_ARENA_MAX': '2',
    # Small robots have few cores: numeric libraries must not start a thread for each.
    'OMP_NUM_THREADS': '1',
    'OPENBLAS_NUM_THREADS': '1',
    'PYTHONUNBUFFERED': '1',
}


def reclaim_shared_memory(context):
    """Frees what killed robots left behind; other robots may be starting just now."""
    reclaim(min_age_s=5.0)


def generate_launch_description():
    """The description that ros2 launch runs."""
    return LaunchDescription([OpaqueFunction(function=reclaim_shared_memory),
                              *(SetEnvironmentVariable(name, value) for name, value in VARIABLES.items())])
