"""Speech to text for commands: a grammar, and a loop of phones that tells speech outside it (the door of pocketsphinx).

The grammar alone would hear a command in everything. The same sound is therefore also decoded as free phones; where
those explain it clearly better than the best sentence does, it was something else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from loom.core.errors import DeviceError
from loom.sense.grammar import Grammar, build

RATE_HZ = 16000
MIN_SAMPLES = RATE_HZ // 4
FRAMES_PER_S = 100
# The quiet before and after an utterance, and what a person may add: hm, please.
MAX_UNEXPLAINED_S = 1.4
# Amplitude of 32767: in the perfect silence of a virtual room the features of sound are not defined.
NOISE_FLOOR = 20.0
CAPABILITIES = ('go_to', 'drive', 'turn', 'stop', 'look', 'where_am_i')


@dataclass(frozen=True)
class Heard:
    """One recognised sentence; confidence 0.5 is the limit below which it would have been refused."""

    text: str
    confidence: float

    def data(self) -> dict[str, str | float]:
        """What an event about it carries."""
        return {'text': self.text, 'confidence': round(self.confidence, 3)}


class CommandRecognizer:
    """Recognises the sentences of a grammar that can be exchanged at any time."""

    def __init__(self, wake_word: str = 'robot', limit: float = -0.11, slope: float = 30.0) -> None:
        """`limit` is the least logarithm of the score's ratio to that of free phones."""
        try:
            import pocketsphinx
        except ImportError as error:
            raise DeviceError(f'speech recognition needs pocketsphinx ({error}); type: pip install pocketsphinx'
                              ) from None
        self.wake_word, self._limit, self._slope = wake_word, limit, slope
        self._commands = pocketsphinx.Decoder(lm=None, samprate=RATE_HZ, loglevel='FATAL')
        phones = pocketsphinx.get_model_path('en-us/en-us-phone.lm.bin')
        self._phones = pocketsphinx.Decoder(allphone=phones, dict=None, lw=2.0, pip=0.3, beam=1e-20, pbeam=1e-20,
                                            samprate=RATE_HZ, loglevel='FATAL')
        self.grammar = self.learn(CAPABILITIES, ())

    def __contains__(self, word: object) -> bool:
        """Whether the pronunciation of the word is known."""
        return isinstance(word, str) and self._commands.lookup_word(word) is not None

    def learn(self, capabilities: Iterable[str], places: Iterable[str]) -> Grammar:
        """Exchanges the grammar; names that can't be spoken are left out and named in `refused`."""
        self.grammar = build(self.wake_word, capabilities, places, self)
        self._commands.add_jsgf_string('commands', self.grammar.jsgf)
        self._commands.activate_search('commands')
        return self.grammar

    def recognize(self, sound: bytes) -> Heard | None:
        """The command in an utterance (s16, 16 kHz); None where it is no sentence of the grammar."""
        if len(sound) < MIN_SAMPLES * 2:
            return None
        text, score = self._decode(self._commands, sound)
        if text not in self.grammar.sentences or self._unexplained_s(sound) > MAX_UNEXPLAINED_S:
            return None
        confidence = self._confidence(score, self._decode(self._phones, sound)[1])
        return Heard(text, confidence) if confidence >= 0.5 else None

    def _confidence(self, score: float, free: float) -> float:
        if score <= 0.0 or free <= 0.0:
            return 0.0
        return 1.0 / (1.0 + math.exp(-self._slope * (math.log(score / free) - self._limit)))

    def _unexplained_s(self, sound: bytes) -> float:
        """Seconds of the sound outside the words: it is no command where someone goes on talking."""
        words = [s for s in self._commands.seg() or () if s.word[0] not in '<[+(']
        spoken = words[-1].end_frame - words[0].start_frame + 1 if words else 0
        return len(sound) / 2 / RATE_HZ - spoken / FRAMES_PER_S

    @staticmethod
    def _decode(decoder: Any, sound: bytes) -> tuple[str, float]:
        floor = np.random.default_rng(0).normal(0.0, NOISE_FLOOR, len(sound) // 2)
        raised = np.clip(np.frombuffer(sound, np.int16) + floor, -32768, 32767).astype(np.int16).tobytes()
        decoder.start_utt()
        decoder.process_raw(raised, no_search=False, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return (found.hypstr, float(found.best_score)) if found else ('', 0.0)
