"""Microphone and speaker as nodes: real PulseAudio, PyAudio, espeak-ng and pocketsphinx."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from loom.core.event import Event
from loom.sense.virtual_sound import VirtualSound
from loom.sense.voice import say_into_room

Until = Callable[..., None]


def up(ros: Any, node_class: type[Any], **parameters: Any) -> Any:
    from rclpy.parameter import Parameter
    node = ros.add(node_class, parameter_overrides=[Parameter(k, value=v) for k, v in parameters.items()])
    assert node.trigger_configure().name == 'SUCCESS', node.stopped_because
    assert node.trigger_activate().name == 'SUCCESS', node.stopped_because
    return node


def test_a_spoken_sentence_becomes_an_event(ros: Any, until: Until) -> None:
    from std_msgs.msg import String

    from loom.core.delivery import STATE
    from loom.nodes.microphone import Microphone
    from loom.ros.qos import publisher_profile
    heard: list[Event] = []
    node = up(ros, Microphone)
    node.bus.subscribe('microphone.speech', heard.append)
    places = node.create_publisher(String, 'loom/places', publisher_profile(STATE))
    places.publish(String(data=json.dumps({'kitchen': [1, 2, 0]})))
    until(lambda: node._listener.device and not node._listener.fault, 'the microphone does not open')
    until(lambda: node._vocabulary.places)
    say_into_room('robot, go to the kitchen', VirtualSound(ros.namespace))
    until(lambda: heard, 'nothing is heard')
    assert heard[0].data['text'] == 'robot go to the kitchen'
    assert heard[0].confidence >= 0.5 and 0 < heard[0].stamp_ns < node.clock_source.now_ns()
    assert next(iter(node.diagnose())).values['understood'] == '1'
    node.end()
    assert not VirtualSound(ros.namespace).folder.exists()


def test_what_it_is_asked_to_say_is_said_and_answered(ros: Any, until: Until) -> None:
    from loom.nodes.speaker import Speaker
    node = up(ros, Speaker)
    said: list[Event] = []
    node.bus.subscribe('speaker.*', said.append)
    ask = Event.create('speaker.say', {'text': 'hello'}, source='test', stamp_ns=1, thread_id='talk')
    bad = Event.create('speaker.say', {'words': 'hello'}, source='test', stamp_ns=1)
    until(lambda: node.count_subscribers('loom/events/speaker/say'))
    node.bus.publish(ask)
    node.bus.publish(bad)
    until(lambda: {e.type for e in said} >= {'speaker.said', 'speaker.failed'}, 'no answer')
    answers = {e.type: e for e in said}
    assert answers['speaker.said'].data['text'] == 'hello' and answers['speaker.said'].data['duration_s'] > 0.2
    assert answers['speaker.said'].correlation_id == ask.id and answers['speaker.said'].thread_id == 'talk'
    assert 'needs {"text": "..."}' in answers['speaker.failed'].data['reason']


def test_a_missing_device_is_named(ros: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from rclpy.parameter import Parameter

    from loom.nodes.microphone import Microphone
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('PULSE_RUNTIME_PATH', str(tmp_path))
    node = ros.add(Microphone, parameter_overrides=[Parameter('device', value='no such thing')])
    assert node.trigger_configure().name == 'FAILURE'
    assert 'no such thing' in node.stopped_because
