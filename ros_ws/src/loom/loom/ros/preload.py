"""Code and all that comes with its first use, loaded before the fork: every process has it at once."""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Iterable
from typing import Any

from loom.core.qos_file import deliveries
from loom.ros import kept  # noqa: F401
from loom.ros.process import node_maker

INTERFACES = ('.msg', '.srv', '.action')
GENERATOR = 'rosidl_generator_py.generate_py_impl'


def preload(programs: Iterable[str]) -> None:
    """Imports programs, and does what their first node would do once in each process."""
    # What is being loaded is no garbage: looking for some takes a sixth of the time.
    gc.disable()
    try:
        for program in programs:
            node_maker(program)
        deliveries()
        load_types()
        # A log line says where it was written: the first one makes a table of all modules.
        inspect.getmodule(sys._getframe())
    finally:
        gc.enable()


def load_types() -> None:
    """Loads the C side of all message types imported so far."""
    modules: dict[str, Any] = sys.modules
    # It comes through a package that also loads the generator of messages, with a parser of 7 MB, if that is there.
    modules.setdefault(GENERATOR, None)
    for name, module in list(modules.items()):
        if name.endswith(INTERFACES):
            for kind in list(vars(module).values()):
                if getattr(kind, '_TYPE_SUPPORT', True) is None:
                    kind.__import_type_support__()
