"""Text becomes speech (espeak-ng), and a person's voice in the virtual room."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import threading
import wave

import numpy as np
from numpy.typing import NDArray

from loom.core.errors import DeadlineError, DeviceError
from loom.sense.audio import RATE_HZ, Mouth, PortAudio
from loom.sense.virtual_sound import ROOM, VirtualSound

Sound = NDArray[np.float32]
MAX_TEXT = 500
SYNTHESIS_DEADLINE_S = 5.0
# espeak-ng looks for a sound server even when it writes to a pipe, and libpulse then leaves folders behind.
NO_SOUND_SERVER = {'PULSE_RUNTIME_PATH': '/dev/null/none', 'PULSE_COOKIE': '/dev/null', 'PULSE_SERVER': ''}


def synthesize(text: str, voice: str = 'en-us', words_per_minute: int = 140, pitch: int = 50) -> bytes:
    """16 kHz mono s16 sound of the text; DeviceError without espeak-ng, DeadlineError where it takes over 5 s."""
    if not text.strip() or len(text) > MAX_TEXT:
        raise DeviceError(f'text to speak must have 1 to {MAX_TEXT} characters, got {len(text)}')
    if shutil.which('espeak-ng') is None:
        raise DeviceError('speech needs espeak-ng; type: sudo apt install espeak-ng')
    command = ['espeak-ng', '--stdout', '-v', voice, '-s', str(words_per_minute), '-p', str(pitch), '--stdin']
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=SYNTHESIS_DEADLINE_S,
                              env={**os.environ, **NO_SOUND_SERVER})
    except subprocess.TimeoutExpired:
        raise DeadlineError(f'espeak-ng must answer within {SYNTHESIS_DEADLINE_S} s for {text[:40]!r}') from None
    if done.returncode:
        raise DeviceError(f'espeak-ng refuses voice {voice!r}: {done.stderr.decode(errors="replace").strip()[:200]}; '
                          'list voices with espeak-ng --voices')
    return _to_16_khz(done.stdout)


def say_into_room(text: str, sound: VirtualSound, voice: str = 'en-us') -> float:
    """Speaks as a person in the robot's virtual room; returns the seconds spoken, after the last was played."""
    if not sound.running():
        raise DeviceError(f'no virtual room is open at {sound.folder}; start the robot with its microphone first')
    pcm = synthesize(text, voice)
    with PortAudio.gate:
        sound.use()
        mouth = Mouth(ROOM)
    try:
        return mouth.play(pcm, threading.Event())
    finally:
        mouth.close()
        if not sound.owner:
            with PortAudio.gate:
                sound.close()


def _to_16_khz(wav: bytes) -> bytes:
    with wave.open(io.BytesIO(wav)) as file:
        # espeak-ng writes to a pipe, so the header's length is a placeholder: read what is there
        rate, sound = file.getframerate(), np.frombuffer(wav[44:len(wav) // 2 * 2], np.int16)
    if rate == RATE_HZ:
        return sound.tobytes()
    count = len(sound) * RATE_HZ // rate
    smooth = _low_pass(sound.astype(np.float32), RATE_HZ / 2 / rate)
    resampled = np.interp(np.arange(count) * (rate / RATE_HZ), np.arange(len(sound)), smooth)
    return bytes(np.clip(resampled, -32768, 32767).astype(np.int16).tobytes())


def _low_pass(sound: Sound, cutoff: float, taps: int = 63) -> Sound:
    """Sound without what lies above `cutoff` (cycles a sample): a Hamming-windowed sinc."""
    n = np.arange(taps) - (taps - 1) / 2
    kernel = np.sinc(2 * cutoff * n) * np.hamming(taps)
    return np.convolve(sound, (kernel / kernel.sum()).astype(np.float32), mode='same')
