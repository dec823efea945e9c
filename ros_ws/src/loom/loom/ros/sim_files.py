"""Where the worlds and robots are."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory

from loom.core.errors import ConfigError, nearest


def world_path(world: str) -> Path:
    """The SDF file of a world given by its name or path."""
    return _path(world, 'worlds', '.sdf')


def robot_path(robot: str) -> Path:
    """The URDF file of a robot given by its name or path."""
    return _path(robot, 'robots', '.urdf')


def _path(name: str, folder: str, suffix: str) -> Path:
    known = Path(get_package_share_directory('loom')) / 'sim' / folder
    path = Path(name) if name.endswith(suffix) else known / f'{name}{suffix}'
    if not path.is_file():
        names = sorted(file.stem for file in known.glob(f'*{suffix}'))
        raise ConfigError(f'no file {name[:120]!r} in {folder}{nearest(name, names)}')
    return path
