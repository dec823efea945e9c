"""The runner is the only one that touches the simulation, keeps pace, and ends when told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from loom.core.errors import SimulationError
from loom.sim.runner import MAX_JOBS, PAUSED, PLAYING, STOPPED, Runner
from loom.sim.simulation import Simulation

Until = Callable[..., None]


@pytest.fixture
def ticks() -> list[int]:
    return []


@pytest.fixture
def runner(simulation: Simulation, ticks: list[int]) -> Iterator[Runner]:
    runner = Runner(simulation, lambda _, number: ticks.append(number), speed=5.0)
    yield runner
    runner.stop()


def test_it_plays_and_ends(runner: Runner, ticks: list[int], until: Until) -> None:
    runner.start()
    until(lambda: len(ticks) > 20)
    runner.stop()
    assert ticks == list(range(1, len(ticks) + 1))
    assert not any(thread.name == 'simulation' for thread in threading.enumerate())


def test_it_keeps_pace_and_says_so(runner: Runner, ticks: list[int], until: Until) -> None:
    runner.start()
    until(lambda: runner.real_time_factor > 0)
    assert 0.5 < runner.real_time_factor < 6.0


def test_it_goes_on_after_a_stop(runner: Runner, ticks: list[int], until: Until) -> None:
    runner.start()
    until(lambda: len(ticks) > 5)
    runner.stop()
    before = len(ticks)
    runner.start()
    until(lambda: len(ticks) > before + 5)


def test_jobs_are_done_on_its_thread(runner: Runner) -> None:
    runner.start()
    assert runner.submit(lambda _: threading.current_thread().name).result(5) == 'simulation'
    with pytest.raises(ZeroDivisionError):
        runner.submit(lambda _: 1 / 0).result(5)


def test_steps_need_a_pause(runner: Runner, simulation: Simulation) -> None:
    runner.start()
    with pytest.raises(SimulationError, match='must be paused to be stepped'):
        runner.step(5).result(5)
    runner.set_state(PAUSED).result(5)
    before = simulation.time_s
    runner.step(103).result(5)
    assert simulation.time_s - before == pytest.approx(103 * 0.002)
    for count in (0, 10**9):
        with pytest.raises(SimulationError, match='steps must be 1 to'):
            runner.step(count).result(5)


def test_stopping_goes_back_to_the_beginning(runner: Runner, simulation: Simulation, until: Until) -> None:
    runner.start()
    until(lambda: simulation.time_s > 0.2)
    runner.set_state(STOPPED).result(5)
    assert (runner.state, simulation.time_s) == (STOPPED, 0.0)
    runner.set_state(PLAYING).result(5)
    until(lambda: simulation.time_s > 0.1)


def test_what_waits_when_it_ends_is_cancelled(runner: Runner) -> None:
    waiting = runner.submit(lambda _: None)
    runner.start()
    assert waiting.result(5) is None
    runner.stop()
    late = runner.submit(lambda _: None)
    runner._finish()
    assert late.cancelled()


def test_the_queue_is_bounded(runner: Runner) -> None:
    futures = [runner.submit(lambda _: None) for _ in range(MAX_JOBS + 1)]
    with pytest.raises(SimulationError, match='requests can wait'):
        futures[-1].result(0)


def test_a_tick_that_fails_ends_it_and_is_told(simulation: Simulation, until: Until) -> None:
    def tick(_: Simulation, number: int) -> None:
        raise RuntimeError('no publisher')

    runner = Runner(simulation, tick)
    runner.start()
    until(lambda: runner.failure)
    assert runner.failure == 'RuntimeError: no publisher'
    runner.stop()
