"""One figure of a benchmark."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """`bound` is text like '<= 5' or '' where none is set; `peer` names what it was measured against."""

    name: str
    value: float
    unit: str
    bound: str = ''
    peer: str = ''

    @property
    def holds(self) -> bool:
        """Whether the value keeps its bound."""
        if not self.bound:
            return True
        sign, limit = self.bound.split()
        return self.value <= float(limit) if sign == '<=' else self.value >= float(limit)

    def as_dict(self) -> dict[str, Any]:
        """The row as it stands in results.json."""
        return {**asdict(self), 'holds': self.holds}
