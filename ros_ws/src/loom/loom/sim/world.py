"""An SDF 1.9 world file as plain values: the one description all simulators share."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from loom.core.errors import ConfigError
from loom.sim.markup import Element, name_of, numbers, parse, read_text, sdf_pose, vector
from loom.sim.pose import Pose
from loom.sim.sdf_model import own_pose, read_model
from loom.sim.shape import Colour, Light, Model, World

VERSION = '1.9'
PLACE = 'place/'
SPAWN = 'spawn'
CHECK_TIMEOUT_S = 20.0


def read_world(path: Path) -> World:
    """The world in an SDF file, refused with a ConfigError that names the rule, the value and the way out."""
    root = parse(read_text(path), path.name, 'sdf')
    if root.get('version') != VERSION:
        raise ConfigError(f'{path.name} must be SDF version {VERSION}, got {root.get("version")!r}; convert it')
    worlds = root.findall('world')
    if len(worlds) != 1:
        raise ConfigError(f'{path.name} must have one <world>, got {len(worlds)}')
    return _read(worlds[0], path.resolve().parent)


def read_models(text: str, source: str, folder: Path) -> tuple[Model, ...]:
    """The models of an SDF text with no world around them, as spawned at run time."""
    root = parse(text, source, 'sdf')
    models = tuple(read_model(element, folder) for element in root.findall('model'))
    if not models:
        raise ConfigError(f'{source} must have a <model> in <sdf>, got none')
    return models


def check_with_gazebo(path: Path) -> None:
    """Has Gazebo's own checker read the file where `ign` or `gz` is installed; ConfigError where it objects."""
    program = shutil.which('gz') or shutil.which('ign')
    if program is None:
        return
    try:
        done = subprocess.run([program, 'sdf', '-k', str(path)], capture_output=True, text=True,
                              timeout=CHECK_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f'{program} sdf -k must be able to run, got {error}; mend or remove it') from None
    if 'Valid' not in done.stdout:
        reason = (done.stderr.strip() or done.stdout.strip())[-400:]
        raise ConfigError(f'{path.name} must pass `{Path(program).name} sdf -k`, got: {reason}')


def _read(element: Element, folder: Path) -> World:
    models = tuple(read_model(model, folder) for model in element.findall('model'))
    names = [model.name for model in models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f'model names must be unique in a world, got twice: {", ".join(twice)[:120]}')
    if element.find('include') is not None:
        raise ConfigError('a world must have its models written out, got <include>; paste the model instead')
    frames = {name_of(frame, 'frame'): own_pose(frame, f'frame {frame.get("name")!r}')
              for frame in element.findall('frame')}
    if SPAWN not in frames:
        raise ConfigError(f'a world must have <frame name="{SPAWN}"> where the robot starts, '
                          f'got {", ".join(frames) or "no frame"}')
    return World(
        name=name_of(element, 'SDF'),
        models=models,
        spawn=frames[SPAWN],
        places={name[len(PLACE):]: _place(pose) for name, pose in frames.items() if name.startswith(PLACE)},
        lights=tuple(_read_light(light) for light in element.findall('light')),
        background=_background(element),
    )


def _place(pose: Pose) -> tuple[float, float, float]:
    return (pose.position[0], pose.position[1], round(pose.yaw, 9))


def _read_light(element: Element) -> Light:
    name = name_of(element, 'light')
    diffuse = numbers(element.findtext('diffuse', '0.8 0.8 0.8 1'), 4, f'the diffuse colour of light {name!r}')
    return Light(
        name=name,
        kind=element.get('type', 'point'),
        pose=sdf_pose(element.find('pose'), f'the pose of light {name!r}'),
        direction=vector(element.findtext('direction', '0 0 -1'), f'the direction of light {name!r}'),
        diffuse=(diffuse[0], diffuse[1], diffuse[2]),
    )


def _background(element: Element) -> Colour:
    r, g, b, a = numbers(element.findtext('scene/background', '0.7 0.8 0.9 1'), 4, 'the background of the scene')
    return (r, g, b, a)
