"""Ids differ between processes, forked ones too."""

from __future__ import annotations

import os

from loom.core.dice import DICE
from loom.core.event import new_id


def test_a_fork_rolls_other_numbers() -> None:
    state = DICE.getstate()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reader, 100).decode()
    os.close(reader)
    os.close(writer)
    DICE.setstate(state)
    assert len(told) == 32 and told != new_id()
