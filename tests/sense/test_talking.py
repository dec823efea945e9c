"""The threads that listen and speak: back after a loss, silent at once, bounded."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loom.core.errors import DeviceError
from loom.sense.audio import Mouth
from loom.sense.listening import Listener
from loom.sense.sound_card import SoundCard
from loom.sense.speaking import MAX_WAITING, Talker
from loom.sense.speech import Heard
from loom.sense.virtual_sound import VirtualSound
from loom.sense.vocabulary import Vocabulary
from loom.sense.voice import say_into_room

Until = Callable[..., None]


@pytest.fixture
def name() -> str:
    return f'talking_{os.getpid()}'


@pytest.fixture
def card(name: str) -> Iterator[SoundCard]:
    made = SoundCard('virtual', name, 34)
    made.check(wants_input=True)
    yield made
    made.close()


@pytest.fixture
def heard() -> list[Heard]:
    return []


@pytest.fixture
def listener(card: SoundCard, heard: list[Heard]) -> Iterator[Listener]:
    made = Listener(card.ear, lambda h, _: heard.append(h))
    made.start()
    yield made
    made.stop()


def test_it_hears_again_after_the_device_came_back(listener: Listener, card: SoundCard, heard: list[Heard],
                                                   until: Until, name: str) -> None:
    room = VirtualSound(name, 34)
    until(lambda: listener.device and not listener.fault, listener.fault)
    listener.learn(Vocabulary().with_places('{"kitchen": [0, 0, 0]}'))
    card._sound._end_daemon()
    until(lambda: listener.counts['lost'], 'the loss is not noticed')
    until(lambda: not listener.fault, 'it does not come back')
    say_into_room('robot go to the kitchen', room)
    until(lambda: heard, 'it does not hear')
    assert heard[0].text == 'robot go to the kitchen' and heard[0].data()['confidence'] >= 0.5
    assert float(listener.report()['level']) >= 0.0


def test_it_is_deaf_while_muted(listener: Listener, heard: list[Heard], until: Until, name: str) -> None:
    until(lambda: listener.device and not listener.fault, listener.fault)
    listener.mute(60.0)
    say_into_room('robot stop', VirtualSound(name, 34))
    listener.mute(0.0)
    say_into_room('robot turn left', VirtualSound(name, 34))
    until(lambda: heard, 'it does not hear')
    assert [h.text for h in heard] == ['robot turn left']


def test_it_stops_at_once_also_without_a_device(heard: list[Heard], until: Until) -> None:
    def missing() -> None:
        raise DeviceError('no microphone')
    listener = Listener(missing, lambda h, _: heard.append(h))  # type: ignore[arg-type]
    listener.start()
    until(lambda: listener.counts['lost'])
    assert listener.fault == 'no microphone'
    listener.stop()
    assert not listener._thread.is_alive()


def talker_on(open_mouth: Callable[[], Mouth]) -> tuple[Talker[int], list[tuple[object, ...]]]:
    told: list[tuple[object, ...]] = []
    return Talker(open_mouth, lambda *said: told.append(('said', *said)),
                  lambda *failed: told.append(('failed', *failed))), told


def test_what_is_said_is_told_after_it_was_heard(card: SoundCard, until: Until) -> None:
    talker, told = talker_on(card.mouth)
    talker.start()
    talker.say(1, 'one')
    talker.say(2, 'two')
    until(lambda: len(told) == 2)
    talker.stop()
    assert [(t[0], t[1], t[2]) for t in told] == [('said', 1, 'one'), ('said', 2, 'two')]
    assert talker.report()['said'] == '2'


def test_it_falls_silent_in_the_middle_of_a_word(card: SoundCard, until: Until) -> None:
    playing = threading.Event()

    def open_mouth() -> Mouth:
        playing.set()
        return card.mouth()
    talker, told = talker_on(open_mouth)
    talker.start()
    talker.say(1, 'this is a very long sentence ' * 5)
    talker.say(2, 'and this waits')
    assert playing.wait(5)
    began = time.monotonic()
    talker.stop()
    assert time.monotonic() - began < 1.0 and not talker._thread.is_alive() and not told


def test_the_oldest_that_waits_is_refused() -> None:
    talker, told = talker_on(lambda: pytest.fail('it must not speak before it is started'))
    for number in range(MAX_WAITING + 2):
        talker.say(number, 'text')
    assert [(t[0], t[1]) for t in told] == [('failed', 0), ('failed', 1)]
    assert talker.report()['waiting'] == str(MAX_WAITING)


def test_a_failure_is_told_and_the_next_is_tried(until: Until) -> None:
    def missing() -> Mouth:
        raise DeviceError('no loudspeaker')
    talker, told = talker_on(missing)
    talker.start()
    talker.say(1, 'one')
    talker.say(2, '')
    until(lambda: len(told) == 2)
    talker.stop()
    assert told[0] == ('failed', 1, 'one', 'no loudspeaker') and 'characters' in str(told[1][3])


def test_a_card_of_a_name_is_looked_for(card: SoundCard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('PULSE_RUNTIME_PATH', str(tmp_path))
    other = SoundCard('no such card')
    assert not other.virtual and card.virtual
    with pytest.raises(DeviceError, match='no such card'):
        other.check(wants_input=True)
