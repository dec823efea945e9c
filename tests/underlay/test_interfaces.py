"""The stand-in interface packages: the fields, types and constants of the standards, compared by their hashes."""

import importlib
import json
from pathlib import Path

import pytest
from ament_index_python import get_package_share_directory

SOURCES = Path(__file__).parents[2] / 'ros_ws' / 'underlay' / 'src'
# Published with the real packages; a publisher and a subscriber with different hashes do not match.
HASHES = {
    'tf2_msgs/msg/TFMessage': 'e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087',
    'simulation_interfaces/msg/Bounds': 'e8624fe51f0f5548197542697d924c5699ac7198f1e4c68e50c3ca2af73f5b3f',
    'simulation_interfaces/msg/EntityCategory': '43bdf7933fddf75f6970f7a8fe7078524355d821d390b3954bb46ac36c03dfe1',
    'simulation_interfaces/msg/EntityFilters': '8e7b12e8ea062f14c55de4877221fe1b7cd9749665a7ad8a4ab855fc4b148303',
    'simulation_interfaces/msg/EntityState': '2e0464a85eb80a939025075d6c20761eca6a4cb9d6baf2c0ba373467c8b598d0',
    'simulation_interfaces/msg/NamedPose': 'b32da2a039b1840f605ec025b7991a18efacac662fac272818d1ae6e2b12bc27',
    'simulation_interfaces/msg/Resource': '2bb1939cf80f8d2f284afba53cbec60b5ff33759bd39b714128ea8867a34c51a',
    'simulation_interfaces/msg/Result': 'cf43a306adff3337a0a47143d8f5689933bc70a30478f13b077dc1fe3bc5ad17',
    'simulation_interfaces/msg/SimulationState': 'bb9f87ccdd98fba113052a512d9801e84ce732d0a2b3c2b0cb281828de36e415',
    'simulation_interfaces/msg/Spawnable': '8675aa686f0df1ed7874a6ec210fdce1ac1c07f4e49fc26ec7fb6fe729f6772e',
    'simulation_interfaces/msg/TagsFilter': '5c3efc51e8ed04c266c09cb4691ec95b964cd410558e01d8c83646b038826b45',
    'simulation_interfaces/msg/WorldResource': 'e3b65ecf904b9b115673e4a343c6aa3d28c19e185a71228faa64b783afcf2403',
    'simulation_interfaces/srv/SpawnEntity': '66860313e11009faddbfc8568e5d410d1a11607fe75eeb1308671dc0406fe3a7',
    'simulation_interfaces/srv/GetEntitiesStates': '0a76170d0c1c90e1eaf805cfab78ea801d1f82df309a28c1f0fae4b570f19754',
}
SERVICES = {
    'DeleteEntity', 'GetAvailableWorlds', 'GetCurrentWorld', 'GetEntities', 'GetEntitiesStates', 'GetEntityBounds',
    'GetEntityInfo', 'GetEntityState', 'GetNamedPoseBounds', 'GetNamedPoses', 'GetSimulationState',
    'GetSimulatorFeatures', 'GetSpawnables', 'LoadWorld', 'ResetSimulation', 'SetEntityInfo', 'SetEntityState',
    'SetSimulationState', 'SpawnEntities', 'SpawnEntity', 'StepSimulation', 'UnloadWorld',
}  # fmt: skip
CONSTANTS = {
    'tf2_msgs.msg.TF2Error': {
        'NO_ERRORS': 0, 'LOOKUP_ERROR': 1, 'CONNECTIVITY_ERROR': 2, 'EXTRAPOLATION_ERROR': 3,
        'INVALID_ARGUMENT_ERROR': 4, 'TIMEOUT_ERROR': 5, 'TRANSFORM_ERROR': 6,
    },
    'simulation_interfaces.msg.Bounds': {'TYPE_EMPTY': 0, 'TYPE_BOX': 1, 'TYPE_CONVEX_HULL': 2, 'TYPE_SPHERE': 3},
    'simulation_interfaces.msg.EntityCategory': {
        'CATEGORY_OBJECT': 0, 'CATEGORY_ROBOT': 1, 'CATEGORY_HUMAN': 2, 'CATEGORY_DYNAMIC_OBJECT': 4,
        'CATEGORY_STATIC_OBJECT': 5,
    },
    'simulation_interfaces.msg.Result': {
        'RESULT_FEATURE_UNSUPPORTED': 0, 'RESULT_OK': 1, 'RESULT_NOT_FOUND': 2, 'RESULT_INCORRECT_STATE': 3,
        'RESULT_OPERATION_FAILED': 4,
    },
    'simulation_interfaces.msg.SimulationState': {
        'STATE_STOPPED': 0, 'STATE_PLAYING': 1, 'STATE_PAUSED': 2, 'STATE_QUITTING': 3, 'STATE_NO_WORLD': 4,
        'STATE_LOADING_WORLD': 5,
    },
    'simulation_interfaces.msg.SimulatorFeatures': {
        'SPAWNING': 0, 'DELETING': 1, 'SPAWNING_RESOURCE_STRING': 9, 'ENTITY_STATE_GETTING': 10, 'SPAWNABLES': 14,
        'SIMULATION_RESET': 20, 'SIMULATION_STATE_PAUSE': 26, 'STEP_SIMULATION_SINGLE': 31,
        'STEP_SIMULATION_ACTION': 33, 'WORLD_LOADING': 40, 'AVAILABLE_WORLDS': 45, 'SPAWNING_ENTITIES': 50,
    },
    'simulation_interfaces.srv.ResetSimulation.Request': {
        'SCOPE_DEFAULT': 0, 'SCOPE_TIME': 1, 'SCOPE_STATE': 2, 'SCOPE_SPAWNED': 4, 'SCOPE_ALL': 255,
    },
    'simulation_interfaces.srv.SetSimulationState.Response': {
        'ALREADY_IN_TARGET_STATE': 101, 'STATE_TRANSITION_ERROR': 102, 'INCORRECT_TRANSITION': 103,
    },
    'simulation_interfaces.srv.SpawnEntity.Response': {'NAME_NOT_UNIQUE': 101, 'INVALID_POSE': 109},
    'simulation_interfaces.srv.SpawnEntities.Response': {'ENTITIES_SPAWN_FAILED': 150},
    'simulation_interfaces.srv.SetEntityState.Response': {'INVALID_POSE': 101},
}  # fmt: skip


@pytest.mark.parametrize('name', HASHES)
def test_the_type_hash_is_the_published_one(name):
    package, kind, stem = name.split('/')
    description = json.loads((Path(get_package_share_directory(package)) / kind / f'{stem}.json').read_text())
    hashes = {item['type_name']: item['hash_string'] for item in description['type_hashes']}
    assert hashes[name] == f'RIHS01_{HASHES[name]}'


@pytest.mark.parametrize('name', CONSTANTS)
def test_the_constants_are_those_of_the_standard(name):
    parts = name.split('.')
    value = importlib.import_module('.'.join(parts[:2]))
    for part in parts[2:]:
        value = getattr(value, part)
    assert {constant: getattr(value, constant) for constant in CONSTANTS[name]} == CONSTANTS[name]


def test_all_services_and_the_action_are_there():
    folder = SOURCES / 'simulation_interfaces'
    assert {path.stem for path in folder.glob('srv/*.srv')} == SERVICES
    assert [path.stem for path in folder.glob('action/*.action')] == ['SimulateSteps']
    assert len(list(folder.glob('msg/*.msg'))) == 15


def test_services_have_the_fields_of_the_standard():
    services = importlib.import_module('simulation_interfaces.srv')
    fields = services.SetEntityState.Request.get_fields_and_field_types()
    assert list(fields) == ['entity', 'state', 'set_pose', 'set_twist', 'set_acceleration']
    assert services.StepSimulation.Request.get_fields_and_field_types() == {'steps': 'uint64'}
    assert list(services.GetSimulationState.Response.get_fields_and_field_types()) == ['state', 'result']
    spawned = services.SpawnEntities.Response.get_fields_and_field_types()
    assert spawned['results'] == 'sequence<simulation_interfaces/SpawnResult>'


def test_every_file_says_what_it_is_for():
    for path in sorted(SOURCES.rglob('*.msg')) + sorted(SOURCES.rglob('*.srv')) + sorted(SOURCES.rglob('*.action')):
        assert path.read_text(encoding='utf-8').startswith('# '), path
