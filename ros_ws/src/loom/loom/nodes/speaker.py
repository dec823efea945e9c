"""speaker: `speaker.say` events are spoken, and answered with `speaker.said` after the last sound."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from loom.core.config import NodeConfig
from loom.core.event import Event
from loom.ros.node import ERROR, OK, LoomNode, Part
from loom.ros.process import run
from loom.sense.sound_card import SoundCard
from loom.sense.speaking import Talker
from loom.sense.voice import synthesize


class SpeakerConfig(NodeConfig):
    """Settings of the loudspeaker."""

    device: str = Field('auto', min_length=1, description='Name of a device, virtual, or auto: virtual if none exists.')
    voice: str = Field('en-us', pattern='^[a-z][a-z0-9+_-]*$', description='Voice of espeak-ng, see its --voices.')
    words_per_minute: int = Field(160, ge=80, le=450, description='Speed of speech.')


class Speaker(LoomNode):
    """Speaks one text after the other."""

    Config = SpeakerConfig
    config: SpeakerConfig

    def configure(self) -> None:
        """Finds the device and tries the voice."""
        self._card = SoundCard(self.config.device, self.get_namespace())
        self._undo_configured.append(self._card.close)
        self._device = self._card.check(wants_input=False)
        synthesize('a', self.config.voice)
        self.listen('speaker.say', self._on_say)

    def activate(self) -> None:
        """Begins to speak what is asked."""
        self._talker: Talker[Event] = Talker(self._card.mouth, self._on_said, self._on_failed,
                                             self.config.voice, self.config.words_per_minute)
        self._talker.start()

    def deactivate(self) -> None:
        """Falls silent."""
        self._talker.stop()

    def diagnose(self) -> Iterable[Part]:
        """Device, queue, and what was said."""
        talker = self._talker
        yield Part('sound', ERROR if talker.fault else OK, talker.fault or self._device, talker.report())

    def _on_say(self, event: Event) -> None:
        text = event.data.get('text') if isinstance(event.data, dict) else None
        if not isinstance(text, str) or not text.strip():
            return self._on_failed(event, '', f'speaker.say needs {{"text": "..."}}, got {event.payload[:80]!r}')
        self._talker.say(event, text)

    def _on_said(self, event: Event, text: str, seconds: float) -> None:
        self._answer(event, 'speaker.said', {'text': text, 'duration_s': round(seconds, 3)})

    def _on_failed(self, event: Event, text: str, reason: str) -> None:
        self._answer(event, 'speaker.failed', {'text': text, 'reason': reason})

    def _answer(self, event: Event, event_type: str, data: dict[str, Any]) -> None:
        answer = event.child(event_type, data, source='speaker', sender='speaker',
                             stamp_ns=self.clock_source.now_ns(), correlation_id=event.correlation_id or event.id)
        self.call_soon(lambda: self.bus.publish(answer))


def main() -> None:
    """Runs the node."""
    run(Speaker)


if __name__ == '__main__':
    main()
