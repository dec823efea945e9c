"""Random bits for ids: fast, and other ones in each process, forked or not."""

from __future__ import annotations

import os
import random

DICE = random.Random(os.urandom(32))
# A fork takes the state along: without this, parent and child would give the same ids to different things.
os.register_at_fork(after_in_child=lambda: DICE.seed(os.urandom(32)))
