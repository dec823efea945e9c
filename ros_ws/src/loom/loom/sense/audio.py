"""Sound in and out of a device chosen by name, 16 kHz mono s16 (the door of PyAudio)."""

from __future__ import annotations

import ctypes
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from loom.core.errors import DeviceError

RATE_HZ = 16000
FRAME_SAMPLES = 512
SAMPLE_BYTES = 2
DEFAULT = 'default'
# What the device still buffers when a stream ends is lost, so let it be silence.
TAIL = bytes(RATE_HZ * SAMPLE_BYTES // 4)


@dataclass(frozen=True)
class SoundDevice:
    """A device as PortAudio lists it."""

    index: int
    name: str
    inputs: int
    outputs: int


class PortAudio:
    """The library while something of ours uses it; it is not thread-safe, so all calls that open or close wait."""

    gate: ClassVar[threading.RLock] = threading.RLock()

    def __init__(self) -> None:
        try:
            import pyaudio
        except ImportError as error:
            raise DeviceError(f'sound needs PyAudio ({error}); type: sudo apt install portaudio19-dev && '
                              'pip install pyaudio') from None
        with self.gate, _quiet():
            _check_settings()
            self.library = pyaudio
            self._audio = pyaudio.PyAudio()

    def devices(self) -> list[SoundDevice]:
        """All devices, inputs and outputs."""
        found = (self._audio.get_device_info_by_index(i) for i in range(self._audio.get_device_count()))
        return [SoundDevice(int(d['index']), str(d['name']), int(d['maxInputChannels']), int(d['maxOutputChannels']))
                for d in found]

    def find(self, name: str, wants_input: bool) -> SoundDevice:
        """The device of that name, or whose name alone contains it; DeviceError names those there are."""
        fit = [d for d in self.devices() if (d.inputs if wants_input else d.outputs) > 0]
        same = [d for d in fit if d.name == name]
        like = same or [d for d in fit if name.lower() in d.name.lower()]
        if name == DEFAULT and not same:
            like = like[:1] or fit[:1]
        if len(like) != 1:
            kind = 'microphone' if wants_input else 'loudspeaker'
            names = ', '.join(repr(d.name) for d in like or fit) or 'none'
            raise DeviceError(f'device must name one {kind}, got {name!r}; there are: {names}')
        return like[0]

    def open(self, device: SoundDevice, **options: Any) -> Any:
        """A running mono stream on the device."""
        try:
            with self.gate, _quiet():
                return self._audio.open(rate=RATE_HZ, channels=1, format=self.library.paInt16,
                                        frames_per_buffer=FRAME_SAMPLES, **options)
        except (OSError, ValueError) as error:
            raise DeviceError(f'{device.name!r} must give {RATE_HZ} Hz mono 16 bit: {error}; '
                              'is another program using it?') from None

    def close(self, stream: Any | None) -> None:
        """Ends the stream and lets go of the library."""
        with self.gate, _quiet():
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                pass  # the device is gone already
            finally:
                self._audio.terminate()


class Ear:
    """Sound from a device, frame by frame, through a queue that drops the oldest when nobody reads."""

    def __init__(self, device: str = DEFAULT, queue_frames: int = 64) -> None:
        self.overflows = 0
        self._frames: queue.Queue[bytes] = queue.Queue(queue_frames)
        self._audio = PortAudio()
        self._stream: Any | None = None
        try:
            self.device = self._audio.find(device, wants_input=True)
            self._stream = self._audio.open(self.device, input=True, input_device_index=self.device.index,
                                            stream_callback=self._on_frame)
        except DeviceError:
            self.close()
            raise

    def read(self, timeout_s: float = 1.0) -> bytes:
        """The next 32 ms (512 samples, s16); DeviceError where none comes in time: the device is gone."""
        try:
            return self._frames.get(timeout=timeout_s)
        except queue.Empty:
            raise DeviceError(f'{self.device.name!r} must give sound every {timeout_s} s and is silent; '
                              'is it unplugged?') from None

    def close(self) -> None:
        """Lets go of the device."""
        self._audio.close(self._stream)

    def _on_frame(self, data: bytes | None, count: int, times: Any, status: int) -> tuple[None, int]:
        if status & self._audio.library.paInputOverflow:
            self.overflows += 1
        if self._frames.full():
            self.overflows += 1
            with _ignored(queue.Empty):
                self._frames.get_nowait()
        with _ignored(queue.Full):
            self._frames.put_nowait(data or b'')
        return None, int(self._audio.library.paContinue)


class Mouth:
    """Sound to a device."""

    def __init__(self, device: str = DEFAULT) -> None:
        self._audio = PortAudio()
        self._stream: Any | None = None
        try:
            self.device = self._audio.find(device, wants_input=False)
            self._stream = self._audio.open(self.device, output=True, output_device_index=self.device.index)
        except DeviceError:
            self.close()
            raise

    def play(self, pcm: bytes, stop: threading.Event) -> float:
        """Plays s16 mono 16 kHz sound until its end or until `stop` is set; returns the seconds played."""
        step = FRAME_SAMPLES * SAMPLE_BYTES
        sound = pcm + TAIL
        played = 0
        try:
            while played < len(sound) and not stop.is_set():
                self._stream.write(sound[played:played + step])  # type: ignore[union-attr]
                played += step
        except OSError as error:
            raise DeviceError(f'{self.device.name!r} stopped while playing: {error}; is it unplugged?') from None
        return min(played, len(pcm)) / SAMPLE_BYTES / RATE_HZ

    def close(self) -> None:
        """Lets go of the device."""
        self._audio.close(self._stream)


def _check_settings() -> None:
    """PortAudio ends the whole process where ALSA's settings are missing."""
    path = os.environ.get('ALSA_CONFIG_PATH') or '/usr/share/alsa/alsa.conf'
    if not os.path.isfile(path) or not os.path.getsize(path):
        raise DeviceError(f'{path} is not there or empty, and ALSA needs it; type: sudo apt install libasound2-data')


@contextmanager
def _ignored(*errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors:
        pass


@contextmanager
def _quiet() -> Iterator[None]:
    """ALSA and JACK complain on stderr about every device that a search does not find; not inside here."""
    handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(lambda *_: None)
    setters = [setter for library, names in (('libasound.so.2', ('snd_lib_error_set_handler',)),
                                             ('libjack.so.0', ('jack_set_error_function', 'jack_set_info_function')))
               for setter in _setters(library, names)]
    for setter in setters:
        setter(handler)
    try:
        yield
    finally:
        for setter in setters:
            setter(None)


def _setters(library: str, names: tuple[str, ...]) -> list[Any]:
    try:
        loaded = ctypes.CDLL(library)
    except OSError:
        return []
    return [getattr(loaded, name) for name in names if hasattr(loaded, name)]
