"""How a process ends without taking apart what libraries hold in it."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """Ends the process at once; whatever must be closed was closed before."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
