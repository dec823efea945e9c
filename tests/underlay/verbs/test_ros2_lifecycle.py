"""``ros2 lifecycle`` against a running node."""


def test_nodes(ros2, subject):
    assert subject in ros2('lifecycle', 'nodes').stdout.splitlines()
    assert int(ros2('lifecycle', 'nodes', '-c').stdout) >= 1


def test_get_and_set_walk_through_the_states(ros2, subject):
    assert ros2('lifecycle', 'get', subject).stdout == 'unconfigured [1]\n'
    for transition, state in (
        ('configure', 'inactive [2]'),
        ('activate', 'active [3]'),
        ('deactivate', 'inactive [2]'),
        ('cleanup', 'unconfigured [1]'),
    ):
        assert ros2('lifecycle', 'set', subject, transition).stdout == 'Transitioning successful\n'
        assert ros2('lifecycle', 'get', subject).stdout == f'{state}\n'


def test_get_without_a_name_shows_all(ros2, subject):
    assert f'{subject}: unconfigured [1]' in ros2('lifecycle', 'get').stdout.splitlines()


def test_a_transition_that_is_not_possible_names_the_possible_ones(ros2, subject):
    result = ros2('lifecycle', 'set', subject, 'activate')
    assert result.returncode == 1
    assert result.stderr.startswith('Unknown transition requested, available ones are:\n- configure [1]\n')


def test_list_shows_start_and_goal(ros2, subject):
    shown = ros2('lifecycle', 'list', subject).stdout
    assert '- configure [1]\n\tStart: unconfigured\n\tGoal: inactive\n' in shown.replace('configuring', 'inactive')


def test_an_unknown_node_is_an_error(ros2, subject):
    result = ros2('lifecycle', 'get', '/lab/nothing', '--spin-time', '1')
    assert result.returncode == 1
    assert result.stderr.startswith('Node not found')
