"""``ros2 service`` against a running node."""

import signal


def test_list_with_types(ros2, subject):
    shown = ros2('service', 'list', '-t').stdout.splitlines()
    assert '/lab/subject/ping [std_srvs/srv/Trigger]' in shown
    assert ros2('service', 'type', '/lab/subject/ping').stdout == 'std_srvs/srv/Trigger\n'


def test_call_prints_request_and_response(ros2, subject):
    result = ros2('service', 'call', '/lab/subject/ping', 'std_srvs/srv/Trigger')
    assert result.returncode == 0
    assert 'requester: making request: std_srvs.srv.Trigger_Request()\n' in result.stdout
    assert "response:\nstd_srvs.srv.Trigger_Response(success=True, message='pong')\n" in result.stdout


def test_call_takes_yaml(ros2, subject):
    result = ros2('service', 'call', '/lab/subject/slow', 'std_srvs/srv/SetBool', '{data: false}')
    assert 'SetBool_Request(data=False)' in result.stdout


def test_call_has_a_deadline(ros2, subject):
    result = ros2('service', 'call', '--timeout', '1', '/lab/subject/slow', 'std_srvs/srv/SetBool', '{data: true}')
    assert result.returncode == 1
    assert 'no answer from service /lab/subject/slow within 1 s' in result.stderr


def test_call_of_a_service_that_is_not_there(ros2, subject):
    result = ros2('service', 'call', '--timeout', '2', '/lab/nothing', 'std_srvs/srv/Trigger')
    assert result.returncode == 1
    assert 'service /lab/nothing is not there' in result.stderr


def test_call_refuses_a_wrong_field(ros2, subject):
    result = ros2('service', 'call', '/lab/subject/ping', 'std_srvs/srv/SetBool', '{date: true}')
    assert result.returncode == 1
    assert "no field 'date'" in result.stderr


def test_sigint_during_a_call_ends_quietly(start_ros2, subject):
    process = start_ros2('service', 'call', '/lab/subject/slow', 'std_srvs/srv/SetBool', '{data: true}')
    assert process.stdout is not None and process.stderr is not None
    while 'making request' not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.wait(timeout=5)
    assert process.stderr.read() == ''
