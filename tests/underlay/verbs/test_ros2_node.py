"""``ros2 node`` against a running node."""


def test_list_shows_the_node_and_not_itself(ros2, subject):
    result = ros2('node', 'list')
    assert subject in result.stdout.splitlines()
    assert '_ros2cli' not in result.stdout
    assert int(ros2('node', 'list', '-c').stdout) >= 1


def test_info_has_every_section(ros2, subject):
    lines = ros2('node', 'info', subject).stdout.splitlines()
    assert lines[0] == subject
    titles = [line.strip() for line in lines if line.startswith('  ') and not line.startswith('    ')]
    assert titles == [
        'Subscribers:', 'Publishers:', 'Service Servers:', 'Service Clients:', 'Action Servers:', 'Action Clients:',
    ]  # fmt: skip
    assert '    /lab/heard: std_msgs/msg/String' in lines
    assert '    /lab/scan: sensor_msgs/msg/LaserScan' in lines
    assert '    /lab/subject/ping: std_srvs/srv/Trigger' in lines
    assert '    /lab/subject/simulate: simulation_interfaces/action/SimulateSteps' in lines
    assert lines[lines.index('  Service Clients:') + 1] == ''


def test_info_finds_a_name_without_its_slash(ros2, subject):
    assert ros2('node', 'info', subject.lstrip('/')).returncode == 0


def test_info_of_an_unknown_node_is_an_error(ros2, subject):
    result = ros2('node', 'info', '/lab/nothing', '--spin-time', '1')
    assert result.returncode == 1
    assert result.stderr == "Unable to find node '/lab/nothing'\n"
