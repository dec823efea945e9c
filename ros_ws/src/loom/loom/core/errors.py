"""Every error Loom raises on purpose.

LoomError
├── ConfigError        a setting, file or argument breaks a rule
├── DeviceError        a camera, microphone or speaker is missing or failed
├── EventError         an event breaks the envelope's rules
├── BusyError          an event can't be taken now, because a reader is slow
├── PayloadError       a payload can't be stored, or shared memory is not what it should be
├── CapabilityError    a capability can't be called or failed (1xx)
├── AgentError         an agent failed at what another asked, or too few did it
├── RefusedError       a permission or a limit of an agent does not let this happen
├── ModelError         no model could answer (2xx)
├── StateError         what is remembered can't be read or kept (4xx)
├── SimulationError    the simulated world refuses a request
├── SafetyError        a motion is refused (6xx)
└── DeadlineError      an answer did not come in time

The text of each names the rule, the value, and what to do.
"""

from __future__ import annotations

from difflib import get_close_matches


class LoomError(Exception):
    """Base of Loom's errors; `code` is the number that results on the wire carry (0: none)."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


class ConfigError(LoomError):
    """A setting, file or argument breaks a rule."""


class DeviceError(LoomError):
    """A device is missing or failed."""


class EventError(LoomError):
    """An event breaks the envelope's rules."""


class BusyError(LoomError):
    """An event can't be taken now, because a reader is slow."""


class PayloadError(LoomError):
    """A payload can't be stored, or shared memory is not what it should be."""


class CapabilityError(LoomError):
    """A capability can't be called, or failed."""


class AgentError(LoomError):
    """An agent failed at what another asked, or too few did it."""


class RefusedError(LoomError):
    """A permission or a limit of an agent does not let this happen."""


class ModelError(LoomError):
    """No model could answer."""


class StateError(LoomError):
    """What is remembered can't be read or kept."""


class SimulationError(LoomError):
    """The simulated world refuses a request."""


class SafetyError(LoomError):
    """A motion is refused."""


class DeadlineError(LoomError):
    """An answer did not come in time."""


def nearest(name: str, names: list[str]) -> str:
    """The part of an error message that helps with a name that is not there."""
    close = get_close_matches(name, names, 1)
    return f'; did you mean {close[0]!r}?' if close else f'; there are: {", ".join(sorted(names))}'
