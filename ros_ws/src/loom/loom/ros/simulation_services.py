"""The services of simulation_interfaces on the simulator in process; each is answered on the simulation's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as ThreadFuture
from functools import partial
from typing import Any

from rclpy.task import Future
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.msg import Result, SimulationState, SimulatorFeatures, WorldResource
from simulation_interfaces.srv import (
    GetCurrentWorld,
    GetSimulationState,
    GetSimulatorFeatures,
    ResetSimulation,
    SetSimulationState,
    StepSimulation,
)

from loom.core.errors import LoomError
from loom.ros.entity_services import ENTITY_SERVICES, Answer
from loom.ros.node import LoomNode
from loom.sim.results import UnsupportedError
from loom.sim.runner import PAUSED, PLAYING, STOPPED, Runner
from loom.sim.simulation import Simulation

Can = SimulatorFeatures
FEATURES = (
    Can.SPAWNING, Can.DELETING, Can.NAMED_POSES, Can.ENTITY_CATEGORIES, Can.SPAWNING_RESOURCE_STRING,
    Can.ENTITY_STATE_GETTING, Can.ENTITY_STATE_SETTING, Can.ENTITY_INFO_GETTING, Can.SIMULATION_RESET,
    Can.SIMULATION_RESET_TIME, Can.SIMULATION_RESET_STATE, Can.SIMULATION_RESET_SPAWNED, Can.SIMULATION_STATE_GETTING,
    Can.SIMULATION_STATE_SETTING, Can.SIMULATION_STATE_PAUSE, Can.STEP_SIMULATION_SINGLE, Can.STEP_SIMULATION_MULTIPLE,
    Can.STEP_SIMULATION_ACTION, Can.WORLD_INFO_GETTING)
STEPS_AT_ONCE = 100


class SimulationServices:
    """Serves the interfaces under relative names while the node is active."""

    def __init__(self, node: LoomNode, runner: Runner) -> None:
        self._node, self._runner = node, runner
        for service, name, answer in ENTITY_SERVICES:
            node.serve(service, name, self._in_world(answer))
        node.serve(GetCurrentWorld, 'get_current_world', self._in_world(get_current_world))
        node.serve(ResetSimulation, 'reset_simulation', self._in_world(reset_simulation))
        node.serve(GetSimulatorFeatures, 'get_simulator_features', get_simulator_features)
        node.serve(GetSimulationState, 'get_simulation_state', self._get_state)
        node.serve(SetSimulationState, 'set_simulation_state', self._set_state)
        node.serve(StepSimulation, 'step_simulation', self._step)
        node.serve_action(SimulateSteps, 'simulate_steps', self._simulate_steps)

    def _in_world(self, answer: Answer) -> Callable[[Any, Any], Any]:
        async def handle(request: Any, response: Any) -> Any:
            job = partial(_answer, answer, request, response)
            response.result = await self._done(lambda: self._runner.submit(job))
            return response
        return handle

    async def _done(self, begin: Callable[[], ThreadFuture[Any]]) -> Result:
        """Waits for the simulation's thread without blocking this one; OK, or the error's code and text."""
        later: Future[Any] = Future(executor=self._node.executor)

        begin().add_done_callback(lambda done: later.set_result(_outcome(done)))
        return await later

    def _get_state(self, request: Any, response: Any) -> Any:
        response.state = SimulationState(state=self._runner.state)
        response.result = Result(result=Result.RESULT_OK)
        return response

    async def _set_state(self, request: Any, response: Any) -> Any:
        wanted, codes = request.state.state, SetSimulationState.Response
        if wanted not in (STOPPED, PLAYING, PAUSED):
            response.result = Result(result=codes.INCORRECT_TRANSITION, error_message=(
                f'the state must be stopped (0), playing (1) or paused (2), got {wanted}'))
        elif wanted == self._runner.state:
            response.result = Result(result=codes.ALREADY_IN_TARGET_STATE, error_message='nothing to do')
        else:
            response.result = await self._done(lambda: self._runner.set_state(wanted))
        return response

    async def _step(self, request: Any, response: Any) -> Any:
        response.result = await self._done(lambda: self._runner.step(request.steps))
        return response

    async def _simulate_steps(self, goal: Any) -> Any:
        wanted, done = goal.request.steps, 0
        result = Result(result=Result.RESULT_OK)
        while done < wanted and result.result == Result.RESULT_OK:
            if goal.is_cancel_requested:
                goal.canceled()
                return SimulateSteps.Result(result=Result(
                    result=Result.RESULT_OPERATION_FAILED, error_message=f'cancelled after {done} of {wanted} steps'))
            count = min(STEPS_AT_ONCE, wanted - done)
            result = await self._done(partial(self._runner.step, count))
            done += count
            goal.publish_feedback(SimulateSteps.Feedback(completed_steps=done, remaining_steps=wanted - done))
        goal.succeed() if result.result == Result.RESULT_OK else goal.abort()
        return SimulateSteps.Result(result=result)


def get_simulator_features(request: Any, response: Any) -> Any:
    """What this simulator can do."""
    response.features = SimulatorFeatures(features=list(FEATURES), spawn_formats=['sdf'], custom_info='MuJoCo')
    return response


def get_current_world(simulation: Simulation, request: Any, response: Any) -> None:
    """The world that is loaded."""
    response.world = WorldResource(name=simulation.world.name)


def reset_simulation(simulation: Simulation, request: Any, response: Any) -> None:
    """Back to the beginning, all of it or only the scopes asked for."""
    scope = request.scope or ResetSimulation.Request.SCOPE_ALL
    simulation.reset(time=bool(scope & ResetSimulation.Request.SCOPE_TIME),
                     state=bool(scope & ResetSimulation.Request.SCOPE_STATE),
                     spawned=bool(scope & ResetSimulation.Request.SCOPE_SPAWNED))


def _answer(answer: Answer, request: Any, response: Any, simulation: Simulation) -> None:
    answer(simulation, request, response)


def _outcome(done: ThreadFuture[Any]) -> Result:
    if done.cancelled():
        return Result(result=Result.RESULT_OPERATION_FAILED, error_message='the simulation ended')
    error = done.exception()
    if error is None:
        return Result(result=Result.RESULT_OK)
    if isinstance(error, UnsupportedError):
        return Result(result=Result.RESULT_FEATURE_UNSUPPORTED, error_message=str(error))
    code = error.code if isinstance(error, LoomError) else 0
    return Result(result=code or Result.RESULT_OPERATION_FAILED, error_message=str(error))
