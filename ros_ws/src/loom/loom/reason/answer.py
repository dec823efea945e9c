"""What is asked of a model and what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from loom.core.errors import ModelError

NO_BACKEND, LATE, CANCELLED, ALL_FAILED = 201, 202, 203, 204
TASKS = ('think', 'parse', 'see', 'embed')


@dataclass(frozen=True)
class Request:
    """A task for a model; the answer is worth `deadline_s` seconds; `local_only` never leaves this machine."""

    task: str
    prompt: str
    context: dict[str, Any] = field(default_factory=dict)
    deadline_s: float = 5.0
    local_only: bool = False


@dataclass(frozen=True)
class Answer:
    """A model's answer: its text, who gave it, and how sure it is, 0.0 to 1.0."""

    text: str
    backend: str
    confidence: float = 1.0

    @property
    def data(self) -> Any:
        """The text decoded from JSON; ModelError where it is not JSON."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise ModelError(f'the answer of {self.backend!r} must be JSON, got {self.text[:80]!r}',
                             ALL_FAILED) from error
