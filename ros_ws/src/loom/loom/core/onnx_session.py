"""A small network on one processor thread (the door of onnxruntime)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loom.core.errors import ConfigError

Tensor = NDArray[np.generic]


class OnnxSession:
    """Runs one ONNX file; one thread and no spinning, so that it costs nothing between calls."""

    def __init__(self, path: Path) -> None:
        import onnxruntime
        if not path.is_file():
            raise ConfigError(f'an ONNX model must be a file, {path} is not there')
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        self._session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])

    def run(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """All outputs for the inputs, in the model's order."""
        return list(self._session.run(None, dict(inputs)))
