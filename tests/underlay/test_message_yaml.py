"""Messages as YAML and back, with no node."""

import sys
from pathlib import Path

import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64, String
from tf2_msgs.msg import TFMessage

UNDERLAY = Path(__file__).parents[2] / 'ros_ws' / 'underlay' / 'python'
sys.path.append(str(UNDERLAY))

from ros2cli_standin.command import CommandError  # noqa: E402
from ros2cli_standin.message_yaml import field_at, fill, parse, to_csv, to_yaml  # noqa: E402


def test_nested_fields_arrays_of_messages_and_numbers():
    message = TFMessage()
    fill(message, parse('transforms: [{header: {frame_id: odom}, transform: {translation: {x: 1}}}]'))
    assert message.transforms[0].header.frame_id == 'odom'
    assert message.transforms[0].transform.translation.x == 1.0


def test_now_and_auto_are_the_given_time():
    message = PoseStamped()
    fill(message, {'header': 'auto'}, Time(sec=5))
    assert message.header.stamp.sec == 5
    fill(message, {'header': {'stamp': 'now'}}, Time(sec=6))
    assert message.header.stamp.sec == 6


def test_arrays_bytes_and_lists_of_text():
    image, joints = Image(), JointState()
    fill(image, {'data': [1, 2, 255]})
    fill(joints, {'name': ['left', 'right'], 'position': [1, 2.5]})
    assert bytes(image.data) == b'\x01\x02\xff'
    assert list(joints.position) == [1.0, 2.5]
    assert to_yaml(image).endswith('data:\n- 1\n- 2\n- 255\n')


@pytest.mark.parametrize(
    ('message', 'values'),
    [
        (JointState(), {'name': 'left'}),
        (JointState(), {'position': ['a']}),
        (Image(), {'data': [256]}),
        (Image(), {'height': -1}),
        (Image(), {'height': 1.5}),
        (String(), {'data': ['a']}),
        (Float64(), {'data': 'a'}),
        (PoseStamped(), {'pose': 3}),
    ],
)
def test_wrong_values_are_refused_with_their_field(message, values):
    with pytest.raises(CommandError, match=r'cannot be|must be a dictionary'):
        fill(message, values)


def test_field_paths():
    message = JointState(name=['left', 'right'])
    assert field_at(message, 'name[1]') == 'right'
    for path in ('nothing', 'name[5]', 'name[x]', 'header.nothing'):
        with pytest.raises(CommandError, match='Invalid field'):
            field_at(message, path)


def test_long_values_are_cut():
    assert to_yaml(String(data='a' * 200)) == f'data: {"a" * 128}...\n'
    assert to_csv(JointState(name=['a', 'b', 'c']), 2).endswith(',a,b,...')


@pytest.mark.parametrize('text', ['\x85', 'a\u2028b', '\u2029', 'a\nb', '\x85\n'])
def test_every_line_end_comes_back_as_it_was(text):
    again = String()
    fill(again, parse(to_yaml(String(data=text))))
    assert again.data == text


@given(st.text(), st.floats(allow_nan=False), st.lists(st.floats(allow_nan=False, width=32), max_size=20))
def test_what_is_printed_can_be_read_again(text, number, numbers):
    message = JointState(name=[text], position=[number], effort=numbers)
    again = JointState()
    fill(again, parse(to_yaml(message, None)))
    assert again == message
