"""How the simulated world begins, anew or where it was, and how fast it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from geometry_msgs.msg import Twist

from loom.core.delivery import COMMAND
from loom.ros.diagnostics import ERROR, OK, WARN, Part
from loom.ros.node import LoomNode
from loom.ros.sim_files import robot_path, world_path
from loom.sim.base import check_velocity
from loom.sim.runner import PLAYING, Runner, Tick
from loom.sim.simulation import Simulation
from loom.sim.state_file import StateFile


def begin(node: LoomNode, tick: Tick) -> Runner:
    """The world of the node's settings, ready to run; the log says whether it goes on where a killed one ended."""
    config, log = node.config, node.get_logger()
    file = StateFile(Path(config.resume)) if config.resume else None
    simulation = Simulation.load(robot_path(config.robot), world_path(config.world), config.seed,
                                 file.fingerprint if file is not None else b'')
    runner = Runner(simulation, tick, config.speed, file)
    if runner.resumed:
        log.info(runner.resumed)
    elif runner.refused:
        log.warning(f'the world starts anew: {runner.refused}')
    return runner


def obey(node: LoomNode, runner: Runner) -> None:
    """Drives the robot as `cmd_vel` says."""
    def on_command(command: Twist) -> None:
        check_velocity(speed := command.linear.x, turn := command.angular.z)
        runner.submit(lambda simulation: simulation.command(speed, turn))
    node.subscribe(Twist, 'cmd_vel', on_command, COMMAND)


def pace(runner: Runner, speed: float, figures: Mapping[str, str]) -> Part:
    """What is wrong with the run, and its figures."""
    failure, factor = runner.failure, runner.real_time_factor
    slow = runner.state == PLAYING and 0 < factor < 0.9 * speed
    message = failure or ('the machine is too slow for this world' if slow else runner.unkept)
    return Part('simulation', ERROR if failure else WARN if message else OK, message,
                {'real_time_factor': f'{factor:.3f}', **figures})
