"""Where speech begins and ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.errors import DeviceError
from loom.sense.voice import synthesize
from loom.sense.voice_activity import FRAME_S, Cut, Segmenter, VoiceActivity, utterances

FRAME = bytes(1024)


def frames_of(sound: np.ndarray) -> list[bytes]:
    return [sound[i:i + 512].tobytes() for i in range(0, len(sound) - 511, 512)]


def feed(probabilities: list[float], cut: Cut | None = None) -> list[int]:
    """Length in frames of each utterance."""
    segmenter = Segmenter(cut)
    ended = [segmenter.feed(FRAME, p) for p in probabilities]
    return [len(u) // 1024 for u in ended if u is not None]


def test_speech_is_found_and_silence_and_noise_are_not() -> None:
    speech = np.frombuffer(synthesize('robot go to the kitchen'), np.int16)
    quiet = np.zeros(16000, np.int16)
    noise = np.random.default_rng(0).normal(0, 300, 48000).astype(np.int16)
    activity = VoiceActivity()
    found = list(utterances(frames_of(np.concatenate((quiet, speech, quiet, speech, quiet))), activity, Segmenter()))
    assert len(found) == 2 and all(len(speech) < len(u) // 2 + 8000 for u in found)
    assert not list(utterances(frames_of(noise), activity, Segmenter()))


def test_a_frame_has_512_samples() -> None:
    with pytest.raises(DeviceError, match='512 samples, got 100'):
        VoiceActivity().probability(bytes(200))


def test_an_utterance_has_what_was_before_it() -> None:
    assert feed([0.0] * 20 + [0.9] * 20 + [0.0] * 20) == [9 + 19 + 16]


def test_a_pause_does_not_end_it_and_a_click_is_none() -> None:
    assert len(feed([0.9] * 10 + [0.0] * 10 + [0.9] * 10 + [0.0] * 20)) == 1
    assert feed([0.0] * 20 + [0.9] * 3 + [0.0] * 20) == []


def test_between_the_thresholds_it_goes_on_but_does_not_begin() -> None:
    assert feed([0.4] * 100) == []
    assert len(feed([0.9] + [0.4] * 30 + [0.0] * 20)) == 1


@given(st.lists(st.floats(0, 1), max_size=800))
def test_no_utterance_is_too_long_and_nothing_is_kept(probabilities: list[float]) -> None:
    cut = Cut(max_s=2.0)
    assert all(n * FRAME_S <= 2.0 + FRAME_S for n in feed(probabilities, cut))
    segmenter = Segmenter(cut)
    for p in probabilities:
        segmenter.feed(FRAME, p)
    assert len(segmenter._frames) * FRAME_S <= 2.0


def test_dropping_forgets() -> None:
    segmenter = Segmenter()
    segmenter.feed(FRAME, 1.0)
    assert segmenter.speaking
    segmenter.drop()
    assert not segmenter.speaking
