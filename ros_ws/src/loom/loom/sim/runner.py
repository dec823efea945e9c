"""Runs a simulation in a thread of its own, as fast as real time goes."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from loom.core.errors import SimulationError
from loom.sim.simulation import CONTROL_S, CONTROL_STEPS, Simulation
from loom.sim.snapshot import Snapshot
from loom.sim.state_file import StateFile

STOPPED, PLAYING, PAUSED = 0, 1, 2
MAX_DEBT_S = 0.5
MAX_JOBS = 100
MAX_STEPS = 1_000_000
IDLE_WAIT_S = 0.05
RATE_WINDOW_TICKS = 100

Result = TypeVar('Result')
Tick = Callable[[Simulation, int], None]


class Runner:
    """Only its thread touches the simulation: others `submit` what they want done with it.

    After every 10 ms of simulated time it calls `tick(simulation, number)`. With a file, it begins where the file says
    that the last one was, and all that is told or answered is in the file before.
    """

    def __init__(self, simulation: Simulation, tick: Tick, speed: float = 1.0, file: StateFile | None = None) -> None:
        self._simulation, self._tick, self._speed = simulation, tick, speed
        self._jobs: queue.Queue[Callable[[], None]] = queue.Queue(MAX_JOBS)
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._due_s = self._window_s = 0.0
        self._ticks = self._window_ticks = 0
        self.state = PLAYING
        self.real_time_factor = 0.0
        self.failure = ''
        self._file = file
        # Where it began if not anew, why anew if there was something to go on from, and why the file is no longer kept.
        self.resumed, self.refused, self.unkept = '', '', ''
        if file is not None:
            self._resume(file)

    def start(self) -> None:
        """Begins to run, or goes on after `stop`."""
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name='simulation', daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Ends the thread and frees the renderer; jobs that wait are cancelled."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def close(self) -> None:
        """Closes the file; what it holds is for the next one."""
        if self._file is not None:
            self._file.close()

    def submit(self, job: Callable[[Simulation], Result]) -> Future[Result]:
        """Has the job done between two steps; the future gives its result or error."""
        future: Future[Result] = Future()

        def run() -> None:
            if self._ending.is_set() or not future.set_running_or_notify_cancel():
                future.cancel()
                return
            try:
                result = job(self._simulation)
                self._keep()
                future.set_result(result)
            except Exception as error:
                future.set_exception(error)

        try:
            self._jobs.put_nowait(run)
        except queue.Full:
            future.set_exception(SimulationError(f'at most {MAX_JOBS} requests can wait, got one more; ask later'))
        return future

    def set_state(self, state: int) -> Future[None]:
        """Plays, pauses, or stops, which is going back to the beginning."""
        def change(simulation: Simulation) -> None:
            if state == STOPPED:
                simulation.reset()
            self.state = state
            self._measure_anew()
        return self.submit(change)

    def step(self, count: int) -> Future[None]:
        """Goes `count` steps of 2 ms while paused."""
        def go(simulation: Simulation) -> None:
            if self.state != PAUSED:
                raise SimulationError('a simulation must be paused to be stepped, got one that is not; pause it')
            if not 1 <= count <= MAX_STEPS:
                raise SimulationError(f'steps must be 1 to {MAX_STEPS}, got {count}; step in parts')
            for done in range(0, count, CONTROL_STEPS):
                if self._ending.is_set():
                    raise SimulationError(f'the simulation ended after {done} of {count} steps')
                self._advance(min(CONTROL_STEPS, count - done))
        return self.submit(go)

    def _run(self) -> None:
        self._measure_anew()
        try:
            while not self._ending.is_set():
                if self.state == PLAYING:
                    self._advance(CONTROL_STEPS)
                    self._measure()
                self._wait()
        except Exception as error:
            self.failure = f'{type(error).__name__}: {error}'
        finally:
            self._ending.set()
            self._finish()

    def _advance(self, steps: int) -> None:
        self._simulation.step(steps)
        self._ticks += 1
        self._keep()
        self._tick(self._simulation, self._ticks)

    def _resume(self, file: StateFile) -> None:
        self.refused = file.damage
        try:
            if file.fingerprint not in (b'', self._simulation.fingerprint):
                raise SimulationError('the state file must be of this world, robot and seed, got one of another')
            if file.newest:
                snapshot = Snapshot.decoded(file.newest)
                self._simulation.restore(snapshot)
                self.state = snapshot.run_state
                self.resumed = f'the world goes on at {snapshot.time_s:.2f} s'
                return
        except SimulationError as error:
            self.refused = str(error)
            self._simulation.reset()
        self._try(file, lambda: file.renew(self._simulation.fingerprint))

    def _keep(self) -> None:
        file = self._file
        if file is not None:
            self._try(file, lambda: file.write(self._simulation.snapshot(self.state).encoded()))

    def _try(self, file: StateFile, write: Callable[[], None]) -> None:
        try:
            write()
        except SimulationError as error:
            self.unkept = str(error)
            file.discard()
            self._file = None

    def _wait(self) -> None:
        """Does what was submitted until the next step is due; a debt that is too large is forgotten."""
        now = time.monotonic()
        self._due_s = max(self._due_s + CONTROL_S / self._speed, now - MAX_DEBT_S)
        if self.state != PLAYING:
            self._due_s = now + IDLE_WAIT_S
        try:
            while True:
                wait_s = self._due_s - time.monotonic()
                job = self._jobs.get(timeout=wait_s) if wait_s > 0 else self._jobs.get_nowait()
                job()
        except queue.Empty:
            pass

    def _measure_anew(self) -> None:
        self._due_s = self._window_s = time.monotonic()
        self._window_ticks = self._ticks

    def _measure(self) -> None:
        if self._ticks - self._window_ticks >= RATE_WINDOW_TICKS:
            now = time.monotonic()
            self.real_time_factor = (self._ticks - self._window_ticks) * CONTROL_S / (now - self._window_s)
            self._window_s, self._window_ticks = now, self._ticks

    def _finish(self) -> None:
        """Cancels what waits; the renderer belongs to this thread, so it is freed here."""
        while True:
            try:
                job: Any = self._jobs.get_nowait()
            except queue.Empty:
                break
            job()
        self._simulation.close()
