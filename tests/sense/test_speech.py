"""Every sentence of the grammar is understood, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.errors import ConfigError, EventError
from loom.sense.grammar import build, spoken
from loom.sense.speech import CAPABILITIES, CommandRecognizer
from loom.sense.vocabulary import Vocabulary
from loom.sense.voice import synthesize
from loom.sense.voice_activity import Segmenter, VoiceActivity, utterances

PLACES = ('kitchen', 'living_room', 'bedroom', 'hallway')
WORDS = {'robot', 'kitchen', 'living', 'room', 'patrol'}
FOREIGN = (
    'the weather is nice today', 'I would like a cup of coffee please', 'go to the kitchen', 'stop', 'robot',
    'robot make me a sandwich', 'hello how are you', 'please do not turn around', 'he drove back home yesterday',
    'robots are dangerous', 'where is my phone', 'turn left at the next corner', 'come back tomorrow',
    'the robot stopped in the hallway', 'look at that robot')


@pytest.fixture(scope='module')
def recognizer() -> CommandRecognizer:
    made = CommandRecognizer()
    made.learn((*CAPABILITIES, 'patrol'), PLACES)
    return made


@pytest.fixture(scope='module')
def activity() -> VoiceActivity:
    return VoiceActivity()


def understood(text: str, recognizer: CommandRecognizer, activity: VoiceActivity) -> list[str]:
    quiet = np.zeros(16000, np.int16)
    sound = np.concatenate((quiet, np.frombuffer(synthesize(text), np.int16), quiet))
    frames = [sound[i:i + 512].tobytes() for i in range(0, len(sound) - 511, 512)]
    heard = [recognizer.recognize(u) for u in utterances(frames, activity, Segmenter())]
    return [h.text for h in heard if h is not None]


def test_every_sentence_is_understood(recognizer: CommandRecognizer, activity: VoiceActivity) -> None:
    sentences = sorted(recognizer.grammar.sentences)
    assert len(sentences) == 8 + 12 + 3 + 1 + 2 + 1 + 1 + 1
    wrong = {s: got for s in sentences if (got := understood(s, recognizer, activity)) != [s]}
    assert not wrong


def test_nothing_else_is_a_command(recognizer: CommandRecognizer, activity: VoiceActivity) -> None:
    wrong = {s: got for s in FOREIGN if (got := understood(s, recognizer, activity))}
    assert not wrong


@pytest.mark.parametrize('amplitude', [0, 30, 1000, 8000])
def test_noise_is_no_command(recognizer: CommandRecognizer, amplitude: int) -> None:
    noise = np.random.default_rng(1).normal(0, amplitude, 32000).clip(-32768, 32767).astype(np.int16)
    assert recognizer.recognize(noise.tobytes()) is None


def test_empty_sound_is_no_command(recognizer: CommandRecognizer) -> None:
    assert recognizer.recognize(b'') is None


def test_a_wake_word_must_be_known() -> None:
    with pytest.raises(ConfigError, match="lacks 'zorglub'"):
        CommandRecognizer('zorglub')


def test_names_that_can_not_be_spoken_are_refused_and_named() -> None:
    grammar = build('robot', ['go_to', 'patrol', 'zorglub'], ['kitchen', 'bay_7', 'living_room'], WORDS)
    assert 'robot go to the living room' in grammar.sentences and 'robot patrol' in grammar.sentences
    assert not any('7' in s for s in grammar.sentences)
    assert "'bay_7' can not be spoken: the dictionary lacks 'bay', '7'" in grammar.refused[0]
    assert "'zorglub'" in grammar.refused[1]


def test_without_places_nobody_can_be_sent_to_one() -> None:
    grammar = build('robot', ['go_to', 'stop'], [], WORDS)
    assert grammar.sentences == {'robot stop', 'robot come back'}
    assert '<place>' not in grammar.jsgf


@given(st.lists(st.text(max_size=20), max_size=10))
def test_no_name_breaks_the_grammar(names: list[str]) -> None:
    grammar = build('robot', [*names, 'stop'], names, WORDS)
    assert set(grammar.jsgf) <= set("#JSGFV1.0; \nabcdefghijklmnopqrstuvwxyz<>()|='")
    assert 'robot stop' in grammar.sentences


def test_how_names_are_said() -> None:
    assert spoken('Living_Room-two') == 'living room two'


def test_a_vocabulary_grows() -> None:
    words = Vocabulary()
    assert words.capabilities == CAPABILITIES
    assert words.with_host('a', ['stop']).with_host('b', ['go_to']).capabilities == ('go_to', 'stop')
    assert words.with_places('{"kitchen": [1, 2, 0]}').places == ('kitchen',)
    for bad in ('', '[]', '{"a"'):
        with pytest.raises(EventError, match='loom/places must be JSON'):
            words.with_places(bad)
