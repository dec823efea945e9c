"""The result codes of simulation_interfaces, as the errors of the simulated world carry them."""

from __future__ import annotations

from loom.core.errors import SimulationError

NOT_FOUND = 2
INCORRECT_STATE = 3
OPERATION_FAILED = 4
NAME_NOT_UNIQUE = 101
NAME_INVALID = 102
UNSUPPORTED_FORMAT = 103
NO_RESOURCE = 104
NAMESPACE_INVALID = 105
RESOURCE_PARSE_ERROR = 106
INVALID_POSE = 109


class UnsupportedError(SimulationError):
    """The simulator has no such feature: result 0 of simulation_interfaces, which says nothing went wrong."""
