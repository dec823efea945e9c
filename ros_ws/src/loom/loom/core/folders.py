"""Where programs keep what outlives them."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """Where programs keep their state: $LOOM_STATE_FOLDER, $XDG_STATE_HOME/loom, or ~/.local/state/loom."""
    if given := os.environ.get('LOOM_STATE_FOLDER', ''):
        return Path(given)
    home = os.environ.get('XDG_STATE_HOME', '')
    return (Path(home) if home else Path.home() / '.local' / 'state') / 'loom'
