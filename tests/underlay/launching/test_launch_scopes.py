"""Scopes of configurations, environment and names: groups and includes."""

import pytest

pytestmark = pytest.mark.usefixtures('stand_in')
SHOW = (
    "LogInfo(msg=['<{0} ', LaunchConfiguration('x', default='unset'), ' ', "
    "EnvironmentVariable('X', default_value='-'), '>']),"
)


def messages(launched):
    """What LogInfo has said."""
    assert launched.end() == 0, launched.output
    marker = '[launch.user]: '
    return [line.partition(marker)[2] for line in launched.output.splitlines() if marker in line]


@pytest.mark.parametrize(
    ('settings', 'inside', 'after'),
    [
        ('', '<in new new>', '<after old old>'),
        (', scoped=False', '<in new new>', '<after new new>'),
        (', forwarding=False', '<in new new>', '<after old old>'),
    ],
)
def test_what_a_group_sets_is_seen_inside(workspace, settings, inside, after):
    launched = workspace.launch_entities(f"""
        SetLaunchConfiguration('x', 'old'), SetEnvironmentVariable('X', 'old'),
        GroupAction([
            SetLaunchConfiguration('x', 'new'), SetEnvironmentVariable('X', 'new'), {SHOW.format('in')}
        ]{settings}),
        {SHOW.format('after')}
    """)
    assert messages(launched) == [inside, after]


def test_a_scope_without_forwarding_begins_empty(workspace):
    launched = workspace.launch_entities(f"""
        SetLaunchConfiguration('x', 'old'), SetLaunchConfiguration('y', 'kept'), SetEnvironmentVariable('X', 'old'),
        GroupAction([{SHOW.format('empty')} LogInfo(msg=LaunchConfiguration('z'))],
                    forwarding=False, launch_configurations={{'z': LaunchConfiguration('y')}}),
        GroupAction([{SHOW.format('given')}], launch_configurations={{'x': 'mine'}}),
        {SHOW.format('after')}
    """)
    assert messages(launched) == ['<empty unset ->', 'kept', '<given mine old>', '<after old old>']


def test_unset_and_append_inside_a_scope(workspace):
    launched = workspace.launch_entities(f"""
        SetLaunchConfiguration('x', 'old'), SetEnvironmentVariable('X', 'old'),
        GroupAction([UnsetLaunchConfiguration('x'), UnsetEnvironmentVariable('X'), {SHOW.format('un')}]),
        GroupAction([AppendEnvironmentVariable('X', 'a'),
            AppendEnvironmentVariable('X', 'b', prepend=True), {SHOW.format('ap')}]),
        {SHOW.format('after')}
    """)
    assert messages(launched) == ['<un unset ->', '<ap old b:old:a>', '<after old old>']


def test_the_arguments_of_an_include_leak_to_its_parent(workspace):
    workspace.add_launch(f"DeclareLaunchArgument('x'), {SHOW.format('in')}", 'inner.launch.py')
    launched = workspace.launch_entities(f"""
        IncludeLaunchDescription(PythonLaunchDescriptionSource(str(HERE / 'inner.launch.py')),
                                 launch_arguments={{'x': 'leaked'}}.items()),
        {SHOW.format('after')}
        GroupAction([IncludeLaunchDescription(
            [ThisLaunchFileDir(), '/inner.launch.py'], launch_arguments=[('x', 'held')])]),
        {SHOW.format('end')}
    """)
    assert messages(launched) == ['<in leaked ->', '<after leaked ->', '<in held ->', '<end leaked ->']


def test_an_argument_given_to_the_parent_reaches_an_include(workspace):
    workspace.add_launch(f"DeclareLaunchArgument('x', default_value='own'), {SHOW.format('in')}", 'inner.launch.py')
    path = workspace.add_launch(
        "IncludeLaunchDescription(PythonLaunchDescriptionSource([ThisLaunchFileDir(), '/inner.launch.py'])),"
    )
    assert messages(workspace.launch(path)) == ['<in own ->']
    assert messages(workspace.launch(path, 'x:=given')) == ['<in given ->']


def test_an_include_knows_its_own_folder_and_the_parent_its_own(workspace):
    workspace.add_launch('LogInfo(msg=ThisLaunchFile()),', 'sub/inner.launch.py')
    launched = workspace.launch_entities("""
        IncludeLaunchDescription(PathJoinSubstitution([ThisLaunchFileDir(), 'sub', 'inner.launch.py'])),
        LogInfo(msg=ThisLaunchFile()),
    """)
    folder = workspace.share / 'launch'
    assert messages(launched) == [f'{folder}/sub/inner.launch.py', f'{folder}/it.launch.py']


def test_a_missing_include_is_an_error(workspace):
    launched = workspace.launch_entities("python(''), IncludeLaunchDescription('/no/such.launch.py'),")
    assert launched.end() == 1
    assert 'there is no launch file /no/such.launch.py' in launched.output
    assert 'process started' not in launched.output


def test_conditions_choose(workspace):
    launched = workspace.launch_entities(
        """
        DeclareLaunchArgument('sim', default_value='mujoco'), DeclareLaunchArgument('rviz', default_value='False'),
        LogInfo(msg='if', condition=IfCondition(LaunchConfiguration('rviz'))),
        LogInfo(msg='unless', condition=UnlessCondition(LaunchConfiguration('rviz'))),
        LogInfo(msg='equals', condition=LaunchConfigurationEquals('sim', 'mujoco')),
        LogInfo(msg='differs', condition=LaunchConfigurationNotEquals('sim', 'mujoco')),
        LogInfo(msg='same', condition=IfCondition(EqualsSubstitution(LaunchConfiguration('sim'), 'mujoco'))),
        LogInfo(msg='other', condition=IfCondition(NotEqualsSubstitution(LaunchConfiguration('sim'), 'mujoco'))),
        LogInfo(msg='expression', condition=IfCondition(
            PythonExpression(["'", LaunchConfiguration('sim'), "' in ('mujoco', 'x')"]))),
        LogInfo(msg='unset', condition=LaunchConfigurationEquals('nothing', None)),
        GroupAction([LogInfo(msg='group')], condition=IfCondition('0')),
        """
    )
    assert messages(launched) == ['unless', 'equals', 'same', 'expression', 'unset']


def test_a_condition_that_is_no_truth_value_is_an_error(workspace):
    launched = workspace.launch_entities("LogInfo(msg='', condition=IfCondition('perhaps')),")
    assert launched.end() == 1
    assert "a condition must be one of true, false, 1, 0; got 'perhaps'" in launched.output


def test_names_parameters_and_remaps_end_with_their_group(workspace):
    launched = workspace.launch_entities("""
        GroupAction([
            PushRosNamespace('r1'), SetRemap('a', 'b'), SetParameter('p', 1),
            GroupAction([PushRosNamespace(LaunchConfiguration('deep', default='arm')), SetRemap('c', 'd'),
                         Node(package='demo', executable='report', output='screen', exec_name='report')]),
            Node(package='demo', executable='report', output='screen', exec_name='report', namespace='own',
                 remappings=[('x', 'y')]),
            Node(package='demo', executable='report', output='screen', exec_name='report', namespace='/absolute'),
        ]),
        Node(package='demo', executable='report', output='screen', exec_name='report'),
    """)
    assert launched.end() == 0
    words = {tuple(report['words']) for report in launched.reports()}
    assert words == {
        ('--ros-args', '-r', '__ns:=/r1/arm', '-p', 'p:=1', '-r', 'a:=b', '-r', 'c:=d'),
        ('--ros-args', '-r', '__ns:=/r1/own', '-p', 'p:=1', '-r', 'a:=b', '-r', 'x:=y'),
        ('--ros-args', '-r', '__ns:=/absolute', '-p', 'p:=1', '-r', 'a:=b'),
        ('--ros-args',),
    }
