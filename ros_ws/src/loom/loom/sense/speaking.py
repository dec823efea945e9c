"""A thread that speaks what it is given, in order, and can be silenced at once."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, TypeVar

from loom.core.errors import LoomError
from loom.sense.audio import Mouth
from loom.sense.voice import synthesize

MAX_WAITING = 8
STOP_DEADLINE_S = 1.0
Cause = TypeVar('Cause')


class Talker(Generic[Cause]):
    """Speaks texts for their causes; calls `on_said(cause, text, seconds)` or `on_failed(cause, text, reason)`."""

    def __init__(self, open_mouth: Callable[[], Mouth], on_said: Callable[[Cause, str, float], None],
                 on_failed: Callable[[Cause, str, str], None], voice: str = 'en-us',
                 words_per_minute: int = 160) -> None:
        self.counts: Counter[str] = Counter()
        self.fault = ''
        self._open_mouth, self._on_said, self._on_failed = open_mouth, on_said, on_failed
        self._voice, self._speed = voice, words_per_minute
        self._waiting: deque[tuple[Cause, str]] = deque()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='talker', daemon=True)

    def report(self) -> dict[str, str]:
        """Counts and how many texts wait, for people."""
        counts = {name: str(count) for name, count in self.counts.items()}
        return {**counts, 'waiting': str(len(self._waiting))}

    def start(self) -> None:
        """Begins to speak."""
        self._thread.start()

    def stop(self) -> None:
        """Falls silent in the middle of a word, forgets what waits, and ends the thread."""
        self._stopping.set()
        with self._changed:
            self._waiting.clear()
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(STOP_DEADLINE_S)

    def say(self, cause: Cause, text: str) -> None:
        """Adds a text; the oldest that waits is refused where there are already 8."""
        refused = None
        with self._changed:
            if len(self._waiting) >= MAX_WAITING:
                refused = self._waiting.popleft()
            self._waiting.append((cause, text))
            self._changed.notify()
        if refused:
            self._fail(*refused, f'at most {MAX_WAITING} texts may wait to be spoken; wait for speaker.said')

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                if not self._waiting:
                    self._changed.wait(1.0)
                    continue
                cause, text = self._waiting.popleft()
            try:
                self._speak(cause, text)
            except LoomError as error:
                self.fault = str(error)
                self._fail(cause, text, str(error))

    def _speak(self, cause: Cause, text: str) -> None:
        began = time.monotonic()
        sound = synthesize(text, self._voice, self._speed)
        mouth = self._open_mouth()
        try:
            seconds = mouth.play(sound, self._stopping)
        finally:
            mouth.close()
        if self._stopping.is_set():
            return
        self.fault = ''
        self.counts['said'] += 1
        self.counts['busy_ms'] += round(1000 * (time.monotonic() - began))
        self._on_said(cause, text, seconds)

    def _fail(self, cause: Cause, text: str, reason: str) -> None:
        self.counts['failed'] += 1
        self._on_failed(cause, text, reason)
