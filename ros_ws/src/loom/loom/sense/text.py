"""Text in a picture (the door of rapidocr); 500 MB while loaded, so it is loaded at use and freed when idle."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Any

from loom.core.clock import NANOSECONDS, Clock
from loom.core.errors import DeviceError
from loom.sense.pictures import Pixels

MIN_CONFIDENCE = 0.6


@dataclass(frozen=True)
class Text:
    """A line of text, how sure it is (0..1), and the column of its middle in pixels."""

    text: str
    confidence: float
    u: float


class TextReader:
    """Reads pictures; takes 0.2 s each and 1 s more for the first, so call it from a thread of its own."""

    def __init__(self, clock: Clock, idle_s: float = 60.0) -> None:
        self._clock, self._idle_ns = clock, round(idle_s * NANOSECONDS)
        self._engine: Any | None = None
        self._used_ns = 0
        self._lock = threading.Lock()

    @property
    def loaded(self) -> bool:
        """Whether the networks are in memory."""
        return self._engine is not None

    def read(self, pixels: Pixels) -> list[Text]:
        """The lines of text in the picture (H, W, 3), best first."""
        with self._lock:
            engine = self._engine = self._engine or _load()
            found = engine(pixels[:, :, ::-1])
            self._used_ns = self._clock.now_ns()
        lines = zip(found.txts or (), found.scores or (), found.boxes if found.boxes is not None else ())
        texts = [Text(str(t).strip(), float(c), float(box[:, 0].mean())) for t, c, box in lines]
        return sorted((t for t in texts if t.text and t.confidence >= MIN_CONFIDENCE), key=lambda t: -t.confidence)

    def free_if_idle(self) -> bool:
        """Frees the memory where nothing was read for `idle_s`; returns whether it did."""
        with self._lock:
            if self._engine is None or self._clock.now_ns() - self._used_ns < self._idle_ns:
                return False
            self._engine = None
            return True


def _load() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise DeviceError(f'reading text needs rapidocr ({error}); type: pip install rapidocr') from None
    logging.getLogger('RapidOCR').setLevel(logging.WARNING)
    return RapidOCR(params={'EngineConfig.onnxruntime.intra_op_num_threads': 1,
                            'EngineConfig.onnxruntime.inter_op_num_threads': 1, 'Global.log_level': 'warning'})
