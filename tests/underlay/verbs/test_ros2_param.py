"""``ros2 param`` against a running node."""

import pytest
import yaml


def test_list_of_one_node_and_of_all(ros2, subject):
    names = ros2('param', 'list', subject).stdout.splitlines()
    assert '  speed.limit' in names
    shown = ros2('param', 'list').stdout
    assert f'{subject}:\n  fixed\n' in shown


def test_list_filters_and_shows_types(ros2, subject):
    result = ros2('param', 'list', subject, '--filter', 'speed|gains', '--param-type')
    assert result.stdout == '  gains (type: double array)\n  speed.limit (type: integer)\n'


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('label', 'String value is: one'),
        ('gains', 'Double values are: [0.5, 1.5]'),
        ('fixed', 'Boolean value is: True'),
    ],
)
def test_get_names_the_type(ros2, subject, name, text):
    assert ros2('param', 'get', subject, name).stdout == f'{text}\n'


def test_get_of_only_the_value_and_of_nothing(ros2, subject):
    assert ros2('param', 'get', '--hide-type', subject, 'label').stdout == 'one\n'
    missing = ros2('param', 'get', subject, 'nothing')
    assert (missing.returncode, missing.stderr) == (1, 'Parameter not set.\n')


def test_set_changes_the_value(ros2, subject):
    assert ros2('param', 'set', subject, 'speed.limit', '7').stdout == 'Set parameter successful\n'
    assert ros2('param', 'get', subject, 'speed.limit').stdout == 'Integer value is: 7\n'


def test_set_gives_the_reason_of_a_refusal(ros2, subject):
    result = ros2('param', 'set', subject, 'fixed', 'false')
    assert (result.returncode, result.stderr) == (1, 'Setting parameter failed: it is fixed\n')
    assert ros2('param', 'set', subject, 'speed.limit', '70').returncode == 1


def test_dump_is_a_parameter_file(ros2, subject, tmp_path):
    content = yaml.safe_load(ros2('param', 'dump', subject).stdout)
    parameters = content[subject]['ros__parameters']
    assert parameters['gains'] == [0.5, 1.5]
    assert 1 <= parameters['speed']['limit'] <= 10
    ros2('param', 'dump', subject, '--output-dir', str(tmp_path))
    assert yaml.safe_load((tmp_path / 'lab__subject.yaml').read_text())[subject]['ros__parameters']['label'] == 'one'


def test_an_unknown_node_is_an_error(ros2, subject):
    result = ros2('param', 'list', '/lab/nothing', '--spin-time', '1')
    assert (result.returncode, result.stderr) == (1, 'Node not found\n')
