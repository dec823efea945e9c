"""The worlds are read as they are written, and bad ones are refused with the rule, the value and the way out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from loom.core.errors import ConfigError
from loom.sim.shape import World
from loom.sim.world import check_with_gazebo, read_models, read_world

SHAPE = '<geometry><box><size>1 1 1</size></box></geometry>'
LINK = f'<link name="l"><collision name="c">{SHAPE}</collision></link>'
SPAWN = '<frame name="spawn"><pose>0 0 0 0 0 0</pose></frame>'
MODEL = f'<model name="m"><static>true</static><pose>0 0 0 0 0 0</pose>{LINK}</model>'


def sdf(content: str = SPAWN + MODEL, version: str = '1.9') -> str:
    return f'<sdf version="{version}"><world name="w">{content}</world></sdf>'


def read(folder: Path, text: str) -> World:
    file = folder / 'w.sdf'
    file.write_text(text)
    return read_world(file)


def test_home_has_its_rooms_objects_and_start(home: World) -> None:
    assert set(home.places) == {'kitchen', 'living_room', 'bedroom', 'hallway'}
    models = {model.name: model for model in home.models}
    assert [models[name].static for name in ('red_ball', 'green_cube', 'blue_cylinder', 'parcel')] == [False] * 4
    assert models['walls'].static
    assert home.spawn.yaw == 0


def test_warehouse_has_its_places(warehouse: World) -> None:
    assert {'dock', 'aisle_a', 'aisle_b', 'charger'} <= set(warehouse.places)


def test_the_parcel_is_too_low_for_the_lidar(home: World) -> None:
    parcel = next(model for model in home.models if model.name == 'parcel')
    tops = [pose.position[2] + shape.geometry.half_extents[2] for pose, shape in parcel.placed() if shape.collides]
    assert max(tops) < 0.2


@pytest.mark.skipif(not shutil.which('ign') and not shutil.which('gz'), reason='needs the SDF checker of Gazebo')
@pytest.mark.parametrize('name', ['home', 'warehouse'])
def test_gazebo_accepts_the_worlds(sim_folder: Path, name: str) -> None:
    check_with_gazebo(sim_folder / 'worlds' / f'{name}.sdf')


@pytest.mark.skipif(not shutil.which('ign') and not shutil.which('gz'), reason='needs the SDF checker of Gazebo')
def test_what_gazebo_refuses_is_refused(tmp_path: Path) -> None:
    file = tmp_path / 'twice.sdf'
    file.write_text(sdf(SPAWN + MODEL.replace('</link>', f'<visual name="c">{SHAPE}</visual></link>')))
    with pytest.raises(ConfigError, match=r'twice\.sdf must pass .* sdf -k'):
        check_with_gazebo(file)


def test_the_smallest_world_is_accepted(tmp_path: Path) -> None:
    assert read(tmp_path, sdf()).name == 'w'


@pytest.mark.parametrize(('text', 'error'), [
    (sdf(version='1.6'), "version 1.9, got '1.6'"),
    ('<sdf version="1.9"/>', 'must have one <world>, got 0'),
    (sdf(MODEL), r'must have <frame name="spawn">'),
    (sdf(SPAWN + MODEL + MODEL), 'unique in a world, got twice: m'),
    (sdf(SPAWN + '<include><uri>x</uri></include>'), 'got <include>'),
    (sdf(SPAWN + MODEL.replace('<pose>0 0 0 0 0 0</pose>', '')), "model 'm' must have a <pose>"),
    (sdf(SPAWN + MODEL.replace('<pose>0 0 0 0 0 0', '<pose>0 0 0 0 0')), 'must be 6 finite numbers'),
    (sdf(SPAWN + MODEL.replace('<pose>', '<pose relative_to="x">')), 'pose in the world'),
    (sdf(SPAWN + MODEL.replace(LINK, '')), 'at least one <link>'),
    (sdf(SPAWN + MODEL.replace(LINK, LINK + '<joint name="j" type="fixed"/>')), 'links only, got <joint>'),
    (sdf(SPAWN + MODEL.replace(SHAPE, '<geometry><mesh><uri>x</uri></mesh></geometry>')), 'got mesh'),
    (sdf(SPAWN + MODEL.replace(SHAPE, '')), 'got nothing'),
    (sdf(SPAWN + MODEL.replace('1 1 1', '1 -1 1')), 'must be above 0'),
    (sdf(SPAWN + MODEL.replace('1 1 1', '1 1 5000')), 'at most 1000 m, got 5000'),
    (sdf(SPAWN + MODEL.replace('name="m"', '')), 'must have a name'),
    (sdf('<frame name="spawn"/>' + MODEL), "frame 'spawn' must have a <pose>"),
])
def test_bad_worlds_are_refused(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        read(tmp_path, text)


def test_colours_and_textures_are_checked(tmp_path: Path) -> None:
    visual = f'<visual name="v">{SHAPE}<material>{{}}</material></visual></link>'
    bright = MODEL.replace('</link>', visual.format('<diffuse>2 0 0 1</diffuse>'))
    with pytest.raises(ConfigError, match='numbers from 0 to 1'):
        read(tmp_path, sdf(SPAWN + bright))
    picture = MODEL.replace('</link>', visual.format('<pbr><metal><albedo_map>no.png</albedo_map></metal></pbr>'))
    with pytest.raises(ConfigError, match='must be a PNG file beside the world'):
        read(tmp_path, sdf(SPAWN + picture))


def test_a_text_without_a_model_can_not_be_spawned(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='must have a <model>'):
        read_models('<sdf version="1.9"/>', 'the entity', tmp_path)
