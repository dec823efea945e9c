"""The folder of this launch's log files."""

from __future__ import annotations

from .. import logging
from ..launch_context import LaunchContext
from ..substitution import Substitution


class LaunchLogDir(Substitution):
    """Gives the folder of ``launch.log``."""

    def perform(self, context: LaunchContext) -> str:
        """Return the folder."""
        return logging.launch_config.log_dir
