"""Let all the following nodes use simulated time, or not."""

from __future__ import annotations

from typing import Any

from .set_parameter import SetParameter


class SetUseSimTime(SetParameter):
    """Sets ``use_sim_time`` of all the following nodes, until the end of the scope."""

    def __init__(self, value: Any, **kwargs: Any) -> None:
        """Keep the value."""
        super().__init__('use_sim_time', value, **kwargs)
