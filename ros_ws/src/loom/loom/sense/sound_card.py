"""Which sound device a robot uses: one named by its settings, the machine's default, or a virtual one."""

from __future__ import annotations

from loom.sense.audio import DEFAULT, Ear, Mouth, PortAudio
from loom.sense.virtual_sound import ROOM_EAR, SPEAKER, VirtualSound, needed

AUTO, VIRTUAL = 'auto', 'virtual'


class SoundCard:
    """Opens microphone and loudspeaker of one robot."""

    def __init__(self, device: str, namespace: str = '', domain_id: int | None = None) -> None:
        self.virtual = device == VIRTUAL or (device == AUTO and needed())
        self._device = DEFAULT if device == AUTO else device
        self._sound = VirtualSound(namespace, domain_id)

    def check(self, wants_input: bool) -> str:
        """The name of the device; starts a virtual one. Raises DeviceError where there is none."""
        if self.virtual:
            self._sound.open()
            return ROOM_EAR if wants_input else SPEAKER
        audio = PortAudio()
        try:
            return audio.find(self._device, wants_input).name
        finally:
            audio.close(None)

    def ear(self) -> Ear:
        """The open microphone."""
        with PortAudio.gate:
            return Ear(self._opened(ROOM_EAR))

    def mouth(self) -> Mouth:
        """The open loudspeaker."""
        with PortAudio.gate:
            return Mouth(self._opened(SPEAKER))

    def close(self) -> None:
        """Ends the virtual device if it was started here."""
        with PortAudio.gate:
            self._sound.close()

    def _opened(self, name: str) -> str:
        # The settings belong to the process: they are set anew each time, in case another robot's were set since.
        if not self.virtual:
            return self._device
        self._sound.open()
        return name
