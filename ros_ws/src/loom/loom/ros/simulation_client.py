"""Talks to any simulator with simulation_interfaces: ours and Isaac Sim at the root, Gazebo below /gzserver."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.client import Client
from rclpy.node import Node
from simulation_interfaces.msg import EntityFilters, EntityState, Resource, Result, SimulationState
from simulation_interfaces.srv import (
    DeleteEntity,
    GetEntities,
    GetEntityState,
    GetSimulatorFeatures,
    ResetSimulation,
    SetEntityState,
    SetSimulationState,
    SpawnEntity,
    StepSimulation,
)

from loom.core.errors import SimulationError
from loom.ros.service_call import call
from loom.ros.sim_convert import placement_to_pose, pose_to_placement
from loom.sim.pose import Pose

TIMEOUT_S = 5.0
NAMESPACES = {'mujoco': '', 'gazebo': 'gzserver', 'isaac': ''}


class SimulationClient:
    """Waits for each answer, so never on the executor's thread; SimulationError has the simulator's code and text."""

    def __init__(self, node: Node, namespace: str = '', timeout_s: float = TIMEOUT_S) -> None:
        self._node, self._timeout_s = node, timeout_s
        self._prefix = f'{namespace}/' if namespace else ''
        self._clients: dict[str, Client] = {}

    def features(self) -> list[int]:
        """Numbers of simulation_interfaces/SimulatorFeatures."""
        answer = self._call(GetSimulatorFeatures, 'get_simulator_features', GetSimulatorFeatures.Request())
        return list(answer.features.features)

    def entities(self, pattern: str = '') -> list[str]:
        """Names of the entities whose names match the regular expression."""
        request = GetEntities.Request(filters=EntityFilters(filter=pattern))
        return list((self._ask(GetEntities, 'get_entities', request)).entities)

    def pose(self, entity: str) -> Pose:
        """Where an entity is in the world."""
        answer = self._ask(GetEntityState, 'get_entity_state', GetEntityState.Request(entity=entity))
        return pose_to_placement(answer.state.pose)

    def place(self, entity: str, pose: Pose) -> None:
        """Puts an entity elsewhere."""
        state = EntityState(pose=placement_to_pose(pose))
        self._ask(SetEntityState, 'set_entity_state',
                        SetEntityState.Request(entity=entity, state=state, set_pose=True))

    def spawn(self, name: str, sdf: str, pose: Pose) -> str:
        """Adds a model given as SDF text; the name that it got."""
        request = SpawnEntity.Request(name=name, allow_renaming=True, entity_resource=Resource(resource_string=sdf),
                                      initial_pose=PoseStamped(pose=placement_to_pose(pose)))
        return str((self._ask(SpawnEntity, 'spawn_entity', request)).entity_name)

    def delete(self, entity: str) -> None:
        """Takes an entity out of the world."""
        self._ask(DeleteEntity, 'delete_entity', DeleteEntity.Request(entity=entity))

    def reset(self, scope: int = ResetSimulation.Request.SCOPE_ALL) -> None:
        """Back to the beginning."""
        self._ask(ResetSimulation, 'reset_simulation', ResetSimulation.Request(scope=scope))

    def pause(self) -> None:
        """Time stands still."""
        self._set_state(SimulationState.STATE_PAUSED)

    def play(self) -> None:
        """Time runs."""
        self._set_state(SimulationState.STATE_PLAYING)

    def step(self, steps: int = 1) -> None:
        """Goes some steps ahead while paused."""
        self._ask(StepSimulation, 'step_simulation', StepSimulation.Request(steps=steps))

    def close(self) -> None:
        """Ends all clients."""
        for client in self._clients.values():
            self._node.destroy_client(client)
        self._clients.clear()

    def _set_state(self, state: int) -> None:
        request = SetSimulationState.Request(state=SimulationState(state=state))
        answer = self._call(SetSimulationState, 'set_simulation_state', request)
        if answer.result.result != SetSimulationState.Response.ALREADY_IN_TARGET_STATE:
            _check(answer.result)

    def _ask(self, service: type[Any], name: str, request: Any) -> Any:
        answer = self._call(service, name, request)
        _check(answer.result)
        return answer

    def _call(self, service: type[Any], name: str, request: Any) -> Any:
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._node.create_client(service, self._prefix + name)
        return call(client, request, self._timeout_s)


def _check(result: Result) -> None:
    if result.result != Result.RESULT_OK:
        raise SimulationError(result.error_message or f'the simulator answered with code {result.result}',
                              result.result)
