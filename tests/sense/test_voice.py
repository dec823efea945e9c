"""Speech from text."""

from __future__ import annotations

import os

import numpy as np
import pytest

from loom.core.errors import DeadlineError, DeviceError
from loom.sense import voice
from loom.sense.virtual_sound import VirtualSound
from loom.sense.voice import say_into_room, synthesize


def test_text_becomes_16_khz_sound() -> None:
    sound = np.frombuffer(synthesize('robot go to the kitchen'), np.int16)
    assert 1.0 < len(sound) / 16000 < 3.0
    assert 5000 < np.abs(sound.astype(int)).max() <= 32768


def test_nothing_above_the_new_limit_is_folded_back() -> None:
    tone = np.sin(np.arange(22050) * 2 * np.pi * 10000 / 22050).astype(np.float32)
    assert np.abs(voice._low_pass(tone, 8000 / 22050)[100:-100]).max() < 0.05


@pytest.mark.parametrize('text', ['', '  ', 'x' * 501])
def test_length_is_bounded(text: str) -> None:
    with pytest.raises(DeviceError, match='1 to 500 characters'):
        synthesize(text)


def test_an_unknown_voice_is_named() -> None:
    with pytest.raises(DeviceError, match='zz-nobody'):
        synthesize('hello', 'zz-nobody')


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PATH', '/nonexistent')
    with pytest.raises(DeviceError, match='apt install espeak-ng'):
        synthesize('hello')


def test_synthesis_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, 'SYNTHESIS_DEADLINE_S', 0.0001)
    with pytest.raises(DeadlineError, match=r'within 0\.0001 s'):
        synthesize('hello')


def test_no_room_no_voice() -> None:
    with pytest.raises(DeviceError, match='no virtual room is open'):
        say_into_room('hello', VirtualSound(f'nobody_{os.getpid()}', 34))
