"""``ros2 topic`` against a running node."""

import re
import signal

import pytest
from process_tree import shared_memory


def test_list_with_types_leaves_out_hidden_names(ros2, subject):
    result = ros2('topic', 'list', '-t')
    assert result.returncode == 0
    assert '/lab/scan [sensor_msgs/msg/LaserScan]' in result.stdout.splitlines()
    assert '_helper' not in result.stdout


def test_list_shows_hidden_names_and_counts_when_asked(ros2, subject):
    shown = ros2('topic', 'list', '--include-hidden-topics').stdout.splitlines()
    assert '/lab/_helper' in shown
    assert shown == sorted(shown)
    assert int(ros2('topic', 'list', '-c').stdout) >= 5


def test_list_verbose_counts_endpoints(ros2, subject):
    published, subscribed = ros2('topic', 'list', '-v').stdout.split('Subscribed topics:')
    assert ' * /lab/scan [sensor_msgs/msg/LaserScan] 1 publisher\n' in published
    assert ' * /lab/heard [std_msgs/msg/String] 1 subscriber\n' in subscribed


def test_info_counts_endpoints(ros2, subject):
    lines = ros2('topic', 'info', '/lab/scan').stdout.splitlines()
    assert lines == ['Type: sensor_msgs/msg/LaserScan', 'Publisher count: 1', 'Subscription count: 0']


def test_info_verbose_shows_node_and_quality(ros2, subject):
    shown = ros2('topic', 'info', '-v', '/lab/scan').stdout
    assert 'Node name: subject\nNode namespace: /lab\nTopic type: sensor_msgs/msg/LaserScan' in shown
    assert '  Reliability: BEST_EFFORT\n' in shown


@pytest.mark.parametrize('verb', ['info', 'echo', 'type'])
def test_unknown_topic_is_an_error_not_a_wait(ros2, subject, verb):
    result = ros2('topic', verb, '/lab/nothing', '--spin-time', '1')
    assert result.returncode == 1
    assert '/lab/nothing' in result.stderr
    assert 'Traceback' not in result.stderr


def test_echo_once_reads_a_latched_topic(ros2, subject):
    assert ros2('topic', 'echo', '--once', '/lab/description').stdout == 'data: a robot\n---\n'


def test_echo_matches_a_best_effort_publisher_and_takes_a_field(ros2, subject):
    result = ros2('topic', 'echo', '--once', '--field', 'header.frame_id', 'lab/scan')
    assert result.stdout == 'laser_link\n---\n'


def test_echo_cuts_long_arrays(ros2, subject):
    result = ros2('topic', 'echo', '--once', '--field', 'ranges', '-l', '2', '/lab/scan')
    assert result.stdout == "- .inf\n- 1.5\n- '...'\n---\n"


def test_echo_without_arrays_and_as_csv(ros2, subject):
    shown = ros2('topic', 'echo', '--once', '--no-arr', '/lab/scan').stdout
    assert "ranges: '<sequence type: float, length: 200>'" in shown
    header = ros2('topic', 'echo', '--once', '--csv', '--field', 'header', '/lab/scan').stdout
    assert re.fullmatch(r'\d+,\d+,laser_link\n', header)


def test_echo_names_a_wrong_field(ros2, subject):
    result = ros2('topic', 'echo', '--once', '--field', 'nothing', '/lab/scan')
    assert result.returncode == 1
    assert "Invalid field 'nothing'" in result.stderr


def test_echo_of_a_silent_topic_gives_up_at_its_time(ros2, subject):
    result = ros2('topic', 'echo', '--once', '--timeout', '1', '/lab/_helper')
    assert result.returncode == 1
    assert 'no message on [/lab/_helper] within 1 s' in result.stderr


def test_echo_with_quality_that_cannot_match_gets_nothing(ros2, subject):
    result = ros2('topic', 'echo', '--once', '--timeout', '1', '--qos-reliability', 'reliable', '/lab/scan')
    assert result.returncode == 1


def test_hz_prints_the_known_format(ros2, subject):
    result = ros2('topic', 'hz', '-w', '20', '--timeout', '3', '/lab/scan')
    pattern = (
        r'average rate: (\d+\.\d{3})\n\tmin: \d\.\d{3}s max: \d\.\d{3}s std dev: \d\.\d{5}s window: (\d+)'
    )
    last = re.findall(pattern, result.stdout)[-1]
    assert 10 < float(last[0]) < 30
    assert int(last[1]) <= 20


def test_bw_prints_the_known_format(ros2, subject):
    shown = ros2('topic', 'bw', '--timeout', '2.5', '/lab/scan').stdout
    assert shown.startswith('Subscribed to [/lab/scan]\n')
    assert re.search(r'[\d.]+ KB/s from \d+ messages\n\tMessage size mean: \d+ B min: \d+ B max: \d+ B\n', shown)


def test_pub_once_reaches_the_node(ros2, subject):
    result = ros2('topic', 'pub', '--once', '/lab/heard', 'std_msgs/msg/String', '{data: hello}')
    assert result.returncode == 0
    assert "publishing #1: std_msgs.msg.String(data='hello')\n" in result.stdout
    assert ros2('topic', 'echo', '--once', '/lab/answer').stdout == 'data: heard hello\n---\n'


def test_pub_some_times_at_a_rate(ros2, subject):
    result = ros2('topic', 'pub', '-t', '3', '-r', '50', '/lab/heard', 'std_msgs/String', 'data: again')
    assert result.stdout.count('publishing #') == 3


@pytest.mark.parametrize(
    ('kind', 'values', 'text'),
    [
        ('std_msgs/msg/Nothing', '{}', 'no std_msgs/msg/Nothing is installed'),
        ('String', '{}', 'expected package/msg/Name'),
        ('std_msgs/msg/String', '{datum: x}', "String has no field 'datum'; there are: data"),
        ('std_msgs/msg/Int8', '{data: 300}', 'Int8.data cannot be 300'),
        ('std_msgs/msg/Int8', '{data: [', 'not YAML'),
        ('std_msgs/msg/Int8', '5', 'must be a dictionary'),
        ('std_msgs/msg/Bool', '{data: 1}', 'true or false is needed'),
    ],
)
def test_pub_refuses_bad_input_at_the_door(ros2, kind, values, text):
    result = ros2('topic', 'pub', '--once', '/lab/heard', kind, values)
    assert result.returncode == 1
    assert text in result.stderr
    assert 'Traceback' not in result.stderr


def test_pub_once_without_a_reader_ends(ros2):
    result = ros2('topic', 'pub', '--once', '--max-wait-time-secs', '1', '/lab/nobody', 'std_msgs/msg/Empty')
    assert result.returncode == 1
    assert 'Expected 1 subscribers but only got 0' in result.stderr


@pytest.mark.parametrize('stop', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('verb', [('echo',), ('hz',), ('pub', '-r', '20')])
def test_a_signal_ends_quietly_and_leaves_no_shared_memory(start_ros2, subject, verb, stop):
    values = ('std_msgs/msg/String', '{data: x}') if verb[0] == 'pub' else ()
    topic = '/lab/heard' if verb[0] == 'pub' else '/lab/scan'
    process = start_ros2('topic', *verb, topic, *values)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline()
    segments = [path for path in shared_memory(process.pid) if re.fullmatch(r'fastdds_[0-9a-f]{16}(_el)?', path.name)]
    process.send_signal(stop)
    process.wait(timeout=5)
    assert process.stderr.read() == ''
    assert not [segment for segment in segments if segment.exists()]
