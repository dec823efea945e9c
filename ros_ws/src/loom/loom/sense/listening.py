"""A thread that listens: microphone -> voice activity -> utterance -> command; comes back when the device does."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from loom.core.errors import DeviceError, LoomError
from loom.sense.audio import RATE_HZ, SAMPLE_BYTES, Ear
from loom.sense.reconnect import Backoff
from loom.sense.speech import CommandRecognizer, Heard
from loom.sense.vocabulary import Vocabulary
from loom.sense.voice_activity import Segmenter, VoiceActivity

STOP_DEADLINE_S = 1.5


class Listener:
    """Calls `on_heard(heard, seconds_since_its_start)` from its own thread for each command it recognises."""

    def __init__(self, open_ear: Callable[[], Ear], on_heard: Callable[[Heard, float], None],
                 wake_word: str = 'robot', threshold: float = 0.5) -> None:
        self.counts: Counter[str] = Counter()
        self.level, self.device, self.fault = 0.0, '', 'starting'
        self.refused: tuple[str, ...] = ()
        self.muted_until_s = 0.0
        self._open_ear, self._on_heard = open_ear, on_heard
        self._wake_word, self._threshold = wake_word, threshold
        self._lock = threading.Lock()
        self._names: tuple[tuple[str, ...], tuple[str, ...]] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='listener', daemon=True)

    def start(self) -> None:
        """Begins to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and lets go of the device."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_DEADLINE_S)

    def report(self) -> dict[str, str]:
        """Counts, level of the sound (0..1) and names that can't be spoken, for people."""
        counts = {name: str(count) for name, count in self.counts.items()}
        return {**counts, 'level': f'{self.level:.4f}', 'refused_names': '; '.join(self.refused)}

    def learn(self, vocabulary: Vocabulary) -> None:
        """Has the next sentence recognised with these names; from any thread."""
        with self._lock:
            self._names = (vocabulary.capabilities, vocabulary.places)

    def mute(self, seconds: float) -> None:
        """Ignores sound for the next seconds; 0 listens again. Used while the robot itself speaks."""
        self.muted_until_s = time.monotonic() + seconds

    def _run(self) -> None:
        try:
            recognizer, activity = CommandRecognizer(self._wake_word), VoiceActivity()
        except LoomError as error:
            self.fault = str(error)
            return
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                self._listen(recognizer, activity, backoff)
            except DeviceError as error:
                self.fault = str(error)
                self.counts['lost'] += 1
                self._stopping.wait(backoff.failed(time.monotonic_ns()))

    def _listen(self, recognizer: CommandRecognizer, activity: VoiceActivity, backoff: Backoff) -> None:
        ear, segmenter = self._open_ear(), Segmenter()
        self.device = ear.device.name
        try:
            while not self._stopping.is_set():
                frame = ear.read()
                self.fault = ''
                backoff.succeeded()
                self._hear(frame, recognizer, activity, segmenter)
                self.counts['overflows'] += ear.overflows
                ear.overflows = 0
        finally:
            ear.close()

    def _hear(self, frame: bytes, recognizer: CommandRecognizer, activity: VoiceActivity,
              segmenter: Segmenter) -> None:
        self.level = float(np.abs(np.frombuffer(frame, np.int16).astype(np.float32)).mean()) / 32768.0
        if time.monotonic() < self.muted_until_s:
            segmenter.drop()
            return
        utterance = segmenter.feed(frame, activity.probability(frame))
        if utterance is not None:
            self._recognize(utterance, recognizer)

    def _recognize(self, utterance: bytes, recognizer: CommandRecognizer) -> None:
        began = time.monotonic()
        self._relearn(recognizer)
        heard = recognizer.recognize(utterance)
        self.counts['utterances'] += 1
        if heard is None or heard.confidence < self._threshold:
            self.counts['not_understood'] += 1
            return
        self.counts['understood'] += 1
        self._on_heard(heard, len(utterance) / SAMPLE_BYTES / RATE_HZ + time.monotonic() - began)

    def _relearn(self, recognizer: CommandRecognizer) -> None:
        with self._lock:
            names, self._names = self._names, None
        if names is not None:
            self.refused = recognizer.learn(*names).refused
