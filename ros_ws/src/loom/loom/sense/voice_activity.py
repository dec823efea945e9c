"""Where speech begins and ends: the silero network on 32 ms frames, and a segmenter that cuts utterances."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loom.core.errors import DeviceError
from loom.core.onnx_session import OnnxSession

RATE_HZ = 16000
FRAME_SAMPLES = 512
CONTEXT_SAMPLES = 64
FRAME_S = FRAME_SAMPLES / RATE_HZ
SILENCE = 8  # of 32767: nothing below this peak is speech, and the network need not run


def model_path() -> Path:
    """The 16 kHz network inside the silero-vad package; DeviceError where that is not installed."""
    spec = find_spec('silero_vad')
    if spec is None or spec.origin is None:
        raise DeviceError('voice activity needs the package silero-vad; type: pip install --no-deps silero-vad')
    return Path(spec.origin).parent / 'data' / 'silero_vad.onnx'


class VoiceActivity:
    """The probability of speech in each frame, given the frames before it."""

    def __init__(self, path: Path | None = None) -> None:
        self._session = OnnxSession(path or model_path())
        self._rate = np.array(RATE_HZ, np.int64)
        self.reset()

    def reset(self) -> None:
        """Forgets the frames before."""
        self._state: NDArray[np.generic] = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros((1, CONTEXT_SAMPLES), np.float32)

    def probability(self, frame: bytes) -> float:
        """0..1 that the frame (512 samples, s16) holds speech."""
        sound = np.frombuffer(frame, np.int16)
        if len(sound) != FRAME_SAMPLES:
            raise DeviceError(f'a frame must have {FRAME_SAMPLES} samples, got {len(sound)}')
        if np.abs(sound.astype(np.int32)).max() < SILENCE:
            self.reset()
            return 0.0
        samples = np.concatenate((self._context, sound.astype(np.float32)[None] / 32768.0), axis=1)
        output, self._state = self._session.run({'input': samples, 'state': self._state, 'sr': self._rate})
        self._context = samples[:, -CONTEXT_SAMPLES:]
        return float(output.reshape(-1)[0])


@dataclass(frozen=True)
class Cut:
    """When an utterance starts and ends, in probabilities and seconds."""

    start: float = 0.5
    stop: float = 0.35
    hangover_s: float = 0.5
    pre_roll_s: float = 0.3
    min_s: float = 0.25
    max_s: float = 8.0


class Segmenter:
    """Cuts the stream of frames into utterances; pure, bounded by `max_s` of sound."""

    def __init__(self, cut: Cut | None = None) -> None:
        self.cut = cut or Cut()
        self._before: deque[bytes] = deque(maxlen=max(1, round(self.cut.pre_roll_s / FRAME_S)))
        self.drop()

    def drop(self) -> None:
        """Forgets the utterance in progress."""
        self._frames: list[bytes] = []
        self._voiced = self._quiet = 0
        self._before.clear()

    @property
    def speaking(self) -> bool:
        """Whether an utterance is in progress."""
        return bool(self._frames)

    def feed(self, frame: bytes, probability: float) -> bytes | None:
        """Takes the next frame; returns the utterance that ends with it, if one does."""
        if not self._frames:
            self._before.append(frame)
            if probability >= self.cut.start:
                self._frames, self._voiced, self._quiet = list(self._before), 1, 0
            return None
        self._frames.append(frame)
        if probability >= self.cut.stop:
            self._voiced, self._quiet = self._voiced + 1, 0
        else:
            self._quiet += 1
        ended = self._quiet * FRAME_S >= self.cut.hangover_s or len(self._frames) * FRAME_S >= self.cut.max_s
        return self._end() if ended else None

    def _end(self) -> bytes | None:
        sound, voiced_s = b''.join(self._frames), self._voiced * FRAME_S
        self.drop()
        return sound if voiced_s >= self.cut.min_s else None


def utterances(frames: Iterable[bytes], activity: VoiceActivity, segmenter: Segmenter) -> Iterable[bytes]:
    """The utterances in recorded frames."""
    for frame in frames:
        utterance = segmenter.feed(frame, activity.probability(frame))
        if utterance is not None:
            yield utterance
