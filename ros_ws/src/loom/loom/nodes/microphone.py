"""microphone: sentences that a person says become `microphone.speech` events."""

from __future__ import annotations

from collections.abc import Iterable

from loom_msgs.msg import Directory
from pydantic import Field
from std_msgs.msg import String

from loom.core.config import NodeConfig
from loom.core.delivery import STATE
from loom.core.event import Event
from loom.ros.node import ERROR, OK, LoomNode, Part
from loom.ros.process import run
from loom.sense.listening import Listener
from loom.sense.sound_card import SoundCard
from loom.sense.speech import Heard
from loom.sense.vocabulary import Vocabulary


class MicrophoneConfig(NodeConfig):
    """Settings of the microphone."""

    device: str = Field('auto', min_length=1, description='Name of a device, virtual, or auto: virtual if none exists.')
    wake_word: str = Field('robot', pattern='^[a-z]+( [a-z]+)*$', description='What every command begins with.')
    min_confidence: float = Field(0.5, ge=0.5, le=1.0, description='Sentences heard less clearly are ignored.')
    half_duplex: bool = Field(True, description='Ignore a real microphone while the robot itself speaks.')


class Microphone(LoomNode):
    """Listens for commands made of the known capabilities and places."""

    Config = MicrophoneConfig
    config: MicrophoneConfig

    def configure(self) -> None:
        """Finds the device."""
        self._card = SoundCard(self.config.device, self.get_namespace())
        self._undo_configured.append(self._card.close)
        self._card.check(wants_input=True)
        words = self._vocabulary = Vocabulary()
        self.subscribe(String, 'loom/places', lambda m: self._listener.learn(words.with_places(m.data)), STATE)
        self.subscribe(Directory, 'loom/directory', self._on_directory, STATE)
        if self.config.half_duplex and not self._card.virtual:
            self.listen('speaker.say', lambda _: self._listener.mute(30.0))
            self.listen('speaker.said', lambda _: self._listener.mute(0.2))

    def activate(self) -> None:
        """Begins to listen."""
        self._listener = Listener(self._card.ear, self._on_heard, self.config.wake_word, self.config.min_confidence)
        self._listener.start()

    def deactivate(self) -> None:
        """Stops listening."""
        self._listener.stop()

    def diagnose(self) -> Iterable[Part]:
        """Device, level, and what was heard."""
        fault = self._listener.fault
        yield Part('sound', ERROR if fault else OK, fault or self._listener.device, self._listener.report())

    def _on_heard(self, heard: Heard, seconds_ago: float) -> None:
        stamp_ns = max(0, self.clock_source.now_ns() - round(seconds_ago * 1e9))
        event = Event.create('microphone.speech', heard.data(), source='microphone', sender='microphone',
                             stamp_ns=stamp_ns, confidence=heard.confidence)
        self.call_soon(lambda: self.bus.publish(event))

    def _on_directory(self, message: Directory) -> None:
        names = [c.name for agent in message.agents for c in agent.capabilities]
        self._listener.learn(self._vocabulary.with_host(message.host, names))


def main() -> None:
    """Runs the node."""
    run(Microphone)


if __name__ == '__main__':
    main()
