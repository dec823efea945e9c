"""``ros2 action`` against a running node."""

import re
import signal

ACTION = ('/lab/subject/simulate', 'simulation_interfaces/action/SimulateSteps')


def test_list_with_types(ros2, subject):
    assert f'{ACTION[0]} [{ACTION[1]}]' in ros2('action', 'list', '-t').stdout.splitlines()
    assert int(ros2('action', 'list', '-c').stdout) >= 1


def test_send_goal_prints_feedback_and_result(ros2, subject):
    result = ros2('action', 'send_goal', '--feedback', *ACTION, '{steps: 3}')
    assert result.returncode == 0
    assert 'Waiting for an action server to become available...\nSending goal:\n     steps: 3\n' in result.stdout
    assert re.search(r'Goal accepted with ID: [0-9a-f]{32}\n', result.stdout)
    assert 'Feedback:\n    completed_steps: 3\nremaining_steps: 0\n' in result.stdout
    assert 'Result:\n    result:\n  result: 1\n' in result.stdout
    assert result.stdout.endswith('Goal finished with status: SUCCEEDED\n')


def test_a_rejected_goal_is_an_error(ros2, subject):
    result = ros2('action', 'send_goal', *ACTION, '{steps: 0}')
    assert result.returncode == 1
    assert result.stderr == 'Goal was rejected.\n'


def test_a_goal_beyond_its_deadline_is_cancelled(ros2, subject):
    result = ros2('action', 'send_goal', '--timeout', '1', *ACTION, '{steps: 500}')
    assert result.returncode == 1
    assert 'Canceling goal...\nGoal canceled.\n' in result.stdout
    assert 'within' in result.stderr


def test_sigint_cancels_the_goal(start_ros2, subject):
    process = start_ros2('action', 'send_goal', *ACTION, '{steps: 500}')
    assert process.stdout is not None and process.stderr is not None
    while 'Goal accepted' not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.wait(timeout=10)
    assert 'Goal canceled.' in process.stdout.read()
    assert process.stderr.read() == ''


def test_an_action_that_is_not_there(ros2, subject):
    result = ros2('action', 'send_goal', '--timeout', '2', '/lab/nothing', ACTION[1])
    assert result.returncode == 1
    assert 'action /lab/nothing is not there' in result.stderr
