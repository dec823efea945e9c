"""The part of simulation_interfaces about the things in the world: each function answers one service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Twist, Vector3
from simulation_interfaces.msg import (
    Bounds,
    EntityCategory,
    EntityFilters,
    EntityInfo,
    EntityState,
    NamedPose,
    Resource,
)
from simulation_interfaces.srv import (
    DeleteEntity,
    GetEntities,
    GetEntitiesStates,
    GetEntityInfo,
    GetEntityState,
    GetNamedPoses,
    SetEntityState,
    SpawnEntity,
)
from std_msgs.msg import Header

from loom.core.clock import NANOSECONDS
from loom.core.errors import ConfigError, SimulationError
from loom.ros.convert import ns_to_stamp
from loom.ros.sim_convert import placement_to_pose, pose_to_placement
from loom.sim.entities import EntityState as State
from loom.sim.markup import read_text
from loom.sim.pose import Pose
from loom.sim.results import (
    INVALID_POSE,
    NAME_INVALID,
    NAMESPACE_INVALID,
    NO_RESOURCE,
    RESOURCE_PARSE_ERROR,
    UNSUPPORTED_FORMAT,
    UnsupportedError,
)
from loom.sim.shape import Model
from loom.sim.simulation import Simulation
from loom.sim.world import read_models

Answer = Callable[[Simulation, Any, Any], None]
WORLD_FRAMES = ('', 'world', 'map')
MAX_PATTERN = 200
_NAMESPACE = re.compile(r'/?([A-Za-z_]\w*(/[A-Za-z_]\w*)*)?\Z')


def get_entities(simulation: Simulation, request: Any, response: Any) -> None:
    """The names of the entities that the filters let through."""
    response.entities = _selected(simulation, request.filters)


def get_entities_states(simulation: Simulation, request: Any, response: Any) -> None:
    """Names and states of the entities that the filters let through."""
    response.entities = _selected(simulation, request.filters)
    response.states = [_state(simulation, name) for name in response.entities]


def get_entity_state(simulation: Simulation, request: Any, response: Any) -> None:
    """Where an entity is and how it moves."""
    response.state = _state(simulation, request.entity)


def set_entity_state(simulation: Simulation, request: Any, response: Any) -> None:
    """Puts an entity elsewhere, or gives it a speed."""
    if request.set_acceleration:
        raise UnsupportedError('accelerations come from forces here; leave set_acceleration false')
    _in_world(request.state.header.frame_id, SetEntityState.Response.INVALID_POSE)
    now = simulation.entities.state(request.entity)
    twist = request.state.twist
    try:
        simulation.entities.place(request.entity, State(
            pose_to_placement(request.state.pose) if request.set_pose else now.pose,
            _values(twist.linear) if request.set_twist else now.linear,
            _values(twist.angular) if request.set_twist else now.angular))
    except SimulationError as error:
        raise SimulationError(str(error), SetEntityState.Response.INVALID_POSE if error.code == INVALID_POSE
                              else error.code) from None


def get_entity_info(simulation: Simulation, request: Any, response: Any) -> None:
    """What sort of thing an entity is."""
    simulation.entities.state(request.entity)
    response.info = EntityInfo(category=EntityCategory(category=_category(simulation, request.entity)))


def get_named_poses(simulation: Simulation, request: Any, response: Any) -> None:
    """The places of the world, and where the robot starts."""
    if request.tags.tags:
        raise UnsupportedError('places have no tags here; leave the filter empty')
    places = {name: Pose.from_rpy((x, y, 0.0), (0.0, 0.0, yaw))
              for name, (x, y, yaw) in simulation.world.places.items()}
    response.poses = [NamedPose(name=name, pose=placement_to_pose(pose))
                      for name, pose in {'spawn': simulation.world.spawn, **places}.items()]


def spawn_entity(simulation: Simulation, request: Any, response: Any) -> None:
    """Puts a model from SDF into the world."""
    if not _NAMESPACE.match(request.entity_namespace):
        raise SimulationError(f'a namespace must be words joined by /, got {request.entity_namespace[:60]!r}',
                              NAMESPACE_INVALID)
    _in_world(request.initial_pose.header.frame_id, INVALID_POSE)
    if not request.name and not request.allow_renaming:
        raise SimulationError('a name must be given, got none; give one or allow renaming', NAME_INVALID)
    model = _model(request.entity_resource)
    name = _free_name(simulation, request.name or model.name) if request.allow_renaming else request.name
    simulation.spawn(model, name, pose_to_placement(request.initial_pose.pose))
    response.entity_name = name


def delete_entity(simulation: Simulation, request: Any, response: Any) -> None:
    """Takes an entity out of the world."""
    simulation.delete(request.entity)


ENTITY_SERVICES: tuple[tuple[type[Any], str, Answer], ...] = (
    (GetEntities, 'get_entities', get_entities),
    (GetEntitiesStates, 'get_entities_states', get_entities_states),
    (GetEntityState, 'get_entity_state', get_entity_state),
    (SetEntityState, 'set_entity_state', set_entity_state),
    (GetEntityInfo, 'get_entity_info', get_entity_info),
    (GetNamedPoses, 'get_named_poses', get_named_poses),
    (SpawnEntity, 'spawn_entity', spawn_entity),
    (DeleteEntity, 'delete_entity', delete_entity),
)


def _selected(simulation: Simulation, filters: EntityFilters) -> list[str]:
    if filters.tags.tags or filters.bounds.type != Bounds.TYPE_EMPTY:
        raise UnsupportedError('entities can be filtered by name and category only; leave tags and bounds empty')
    categories = {category.category for category in filters.categories}
    try:
        if len(filters.filter) > MAX_PATTERN:
            raise re.error(f'longer than {MAX_PATTERN} characters')
        pattern = re.compile(filters.filter)
    except (re.error, RecursionError, OverflowError) as error:
        raise SimulationError(f'a filter must be a regular expression, got {filters.filter[:60]!r} ({error})') from None
    return [name for name in simulation.entities.names() if pattern.search(name)
            and (not categories or _category(simulation, name) in categories)]


def _category(simulation: Simulation, name: str) -> int:
    model = simulation.models.get(name)
    if model is None:
        return int(EntityCategory.CATEGORY_ROBOT)
    return int(EntityCategory.CATEGORY_STATIC_OBJECT if model.static else EntityCategory.CATEGORY_OBJECT)


def _state(simulation: Simulation, name: str) -> EntityState:
    state = simulation.entities.state(name)
    stamp: Time = ns_to_stamp(round(simulation.time_s * NANOSECONDS))
    return EntityState(header=Header(stamp=stamp, frame_id='world'), pose=placement_to_pose(state.pose),
                       twist=Twist(linear=_vector(state.linear), angular=_vector(state.angular)))


def _in_world(frame: str, code: int) -> None:
    if frame not in WORLD_FRAMES:
        raise SimulationError(f'a pose must be in the frame world or map, got {frame[:60]!r}', code)


def _model(resource: Resource) -> Model:
    if not resource.uri and not resource.resource_string:
        raise SimulationError('an entity must have a uri or a resource_string, got neither', NO_RESOURCE)
    try:
        text, folder = resource.resource_string, Path()
        if resource.uri:
            file = _file(resource.uri)
            text, folder = read_text(file), file.parent
        if '<sdf' not in text:
            raise SimulationError('an entity must be SDF, got something else; convert it', UNSUPPORTED_FORMAT)
        return read_models(text, 'the entity', folder)[0]
    except ConfigError as error:
        raise SimulationError(str(error), RESOURCE_PARSE_ERROR) from None


def _file(uri: str) -> Path:
    address = urlparse(uri)
    if address.scheme not in ('', 'file') or address.netloc not in ('', 'localhost'):
        raise SimulationError(f'a uri must be a file on this machine, got {uri[:100]!r}; give file:///...',
                              UNSUPPORTED_FORMAT)
    return Path(unquote(address.path))


def _free_name(simulation: Simulation, name: str) -> str:
    number, free = 1, name
    while simulation.taken(free):
        number, free = number + 1, f'{name}_{number}'
    return free


def _values(vector: Vector3) -> tuple[float, float, float]:
    return (vector.x, vector.y, vector.z)


def _vector(values: Iterable[float]) -> Vector3:
    x, y, z = values
    return Vector3(x=x, y=y, z=z)
