"""Real sound through PyAudio and PulseAudio: what is played is heard."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from loom.core.errors import DeviceError
from loom.sense.audio import RATE_HZ, Ear, Mouth, PortAudio
from loom.sense.virtual_sound import ROOM, ROOM_EAR, SPEAKER, VirtualSound

SECOND = (8000 * np.sin(np.arange(RATE_HZ) * 2 * np.pi * 440 / RATE_HZ)).astype(np.int16).tobytes()


@pytest.fixture
def room() -> Iterator[VirtualSound]:
    sound = VirtualSound(f'audio_{os.getpid()}', 34)
    sound.open()
    yield sound
    sound.close()


def heard(ear: Ear, frames: int) -> np.ndarray:
    return np.concatenate([np.frombuffer(ear.read(2.0), np.int16) for _ in range(frames)])


def test_all_that_is_played_is_heard(room: VirtualSound) -> None:
    ear, mouth = Ear(ROOM_EAR), Mouth(ROOM)
    player = threading.Thread(target=mouth.play, args=(SECOND, threading.Event()))
    player.start()
    sound = heard(ear, 45)
    player.join(5)
    mouth.close()
    ear.close()
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 500)
    assert loud[-1] - loud[0] > 0.99 * RATE_HZ
    assert np.abs(sound).max() < 9000


def test_the_robots_own_voice_is_not_in_the_room(room: VirtualSound) -> None:
    ear, mouth = Ear(ROOM_EAR), Mouth(SPEAKER)
    mouth.play(SECOND[:8000], threading.Event())
    assert not heard(ear, 10).any()
    mouth.close()
    ear.close()


def test_playing_can_be_stopped(room: VirtualSound) -> None:
    stop = threading.Event()
    mouth = Mouth(SPEAKER)
    threading.Timer(0.2, stop.set).start()
    played = mouth.play(SECOND * 5, stop)
    mouth.close()
    assert 0.0 < played < 2.0


def test_nobody_reads_and_the_oldest_is_dropped(room: VirtualSound) -> None:
    ear = Ear(ROOM_EAR, queue_frames=2)
    threading.Event().wait(0.3)
    assert ear.overflows > 0
    assert len(ear.read()) == 1024
    ear.close()


def test_a_device_that_disappears_is_an_error(room: VirtualSound) -> None:
    ear = Ear(ROOM_EAR)
    ear.read(2.0)
    room.close()
    with pytest.raises(DeviceError, match='silent'):
        for _ in range(100):
            ear.read(0.3)
    ear.close()


@pytest.mark.parametrize('name', ['unheard_of', 'loom'])
def test_a_name_must_be_of_one_device(room: VirtualSound, name: str) -> None:
    with pytest.raises(DeviceError, match=f"device must name one loudspeaker, got '{name}'; there are: .*loom_speaker"):
        Mouth(name)


def test_part_of_a_name_is_enough(room: VirtualSound) -> None:
    audio = PortAudio()
    assert audio.find('SPEAKER_EAR', wants_input=True).name == 'loom_speaker_ear'
    audio.close(None)


def test_missing_settings_of_alsa_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ALSA_CONFIG_PATH', '/nonexistent')
    with pytest.raises(DeviceError, match='/nonexistent is not there'):
        PortAudio()
