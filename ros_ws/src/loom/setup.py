"""Installs the Python package, one executable per node, and the shared files."""

from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

FOLDERS = ('launch', 'config', 'models', 'sim')


def shared_files() -> list[tuple[str, list[str]]]:
    """(folder below share, its files) for everything in the linked folders."""
    rows = [('bin', ['bin/loom']), ('share/loom', ['package.xml']),
            ('share/ament_index/resource_index/packages', ['resource/loom'])]
    for folder in FOLDERS:
        files = [f for f in glob(f'{folder}/**/*', recursive=True) if Path(f).is_file() and '__pycache__' not in f]
        for parent in sorted({str(Path(f).parent) for f in files}):
            rows.append((f'share/loom/{parent}', sorted(f for f in files if str(Path(f).parent) == parent)))
    return rows


nodes = sorted(Path(f).stem for f in glob('loom/nodes/[a-z]*.py'))

setup(
    name='loom',
    version='0.1.0',
    packages=find_packages(include=['loom', 'loom.*']),
    package_data={'loom': ['py.typed']},
    data_files=shared_files(),
    zip_safe=False,
    # colcon installs the rest: this is what an agent needs that runs where there is no ROS.
    extras_require={'dds': ['cyclonedds', 'pydantic'], 'redis': ['redis'], 'postgres': ['psycopg[binary]']},
    entry_points={'console_scripts': [f'{node} = loom.nodes.{node}:main' for node in nodes]},
)
