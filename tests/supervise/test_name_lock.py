"""The name of a robot: one at a time has it, and all that were forked from its keeper hold it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from loom.core.errors import ConfigError
from loom.supervise.name_lock import hold

NAME = f'test_{os.getpid()}'


@pytest.fixture
def forked() -> Iterator[Callable[[Callable[[], None]], int]]:
    """Forks a process that does something and then waits to be killed."""
    pids: list[int] = []

    def fork(act: Callable[[], None] = lambda: None) -> int:
        ready, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                act()
                os.write(tell, b'.')
                time.sleep(60)
            finally:
                os._exit(0)
        os.close(tell)
        assert os.read(ready, 1) == b'.'
        os.close(ready)
        pids.append(pid)
        return pid
    yield fork
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_name_is_held_by_one_and_free_afterwards() -> None:
    with hold(NAME):
        with pytest.raises(ConfigError, match=f"a robot of namespace '{NAME}' is up in domain .* already, process "
                                              f'{os.getpid()}; end it, or give this one another namespace'):
            hold(f'/{NAME}', 0.0)
        hold(f'{NAME}_2', 0.0).close()
    hold(NAME, 0.0).close()


def test_domains_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with hold(NAME):
        monkeypatch.setenv('ROS_DOMAIN_ID', '101')
        hold(NAME, 0.0).close()


def test_it_is_held_until_the_last_fork_has_ended(forked: Callable[..., int]) -> None:
    lock = hold(NAME)
    child = forked()
    lock.close()
    with pytest.raises(ConfigError, match=f'process {os.getpid()}'):
        hold(NAME, 0.0)
    begin_s = time.monotonic()
    os.kill(child, signal.SIGKILL)
    hold(NAME).close()
    assert time.monotonic() - begin_s < 2.0, 'whoever waits gets it at once'


def test_who_holds_it_is_named(forked: Callable[..., int]) -> None:
    holder = forked(lambda: hold(NAME).detach())
    with pytest.raises(ConfigError, match=f'process {holder};'):
        hold(NAME, 0.0)
