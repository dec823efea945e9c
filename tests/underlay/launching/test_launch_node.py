"""What nodes are started with: names, parameters, remappings, errors."""

import pytest
import yaml

pytestmark = pytest.mark.usefixtures('stand_in')


def report(workspace, settings, *words, before=''):
    """What one node, started with these settings, tells of itself."""
    launched = workspace.launch_entities(
        f"Node(package='demo', executable='report', output='screen', {settings}),", *words, before=before
    )
    assert launched.end() == 0, launched.output
    return launched.reports()[0]


def test_everything_in_its_order(workspace):
    workspace.write('given.yaml', '/**: {ros__parameters: {a: 1}}')
    told = report(
        workspace,
        """name=['no', TextSubstitution(text='de')], namespace='space',
        arguments=['--first', LaunchConfiguration('w', default='x')],
        parameters=[HERE.parents[2] / 'given.yaml', {'b': 2}, Parameter('c', [1, 2])],
        remappings=[('from', 'to'), (['x', '/y'], LaunchConfiguration('z', default='zz'))],
        ros_arguments=['--log-level', 'debug'], additional_env={'MORE': '1'}""",
    )
    words = told['words']
    assert words[:9] == [
        '--first',
        'x',
        '--ros-args',
        '--log-level',
        'debug',
        '-r',
        '__node:=node',
        '-r',
        '__ns:=/space',
    ]
    assert words[9:11] == ['--params-file', str(workspace.root / 'given.yaml')]
    assert words[11] == '--params-file'
    assert words[13:] == ['-p', 'c:=[1, 2]', '-r', 'from:=to', '-r', 'x/y:=zz']
    assert yaml.safe_load(told['files'][1]) == {'/space/node': {'ros__parameters': {'b': 2}}}
    assert told['env']['MORE'] == '1'


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        ("{'a': True, 'b': 2, 'c': 2.5, 'd': 'text', 'e': '3'}", {'a': True, 'b': 2, 'c': 2.5, 'd': 'text', 'e': '3'}),
        ("{'a': {'b': {'c': 1}, 'd': 'x'}}", {'a.b.c': 1, 'a.d': 'x'}),
        (
            "{'ints': [1, 2], 'mixed': [1, 2.5], 'words': ['1', 'b'], 'bits': (True, False)}",
            {'ints': [1, 2], 'mixed': [1.0, 2.5], 'words': ['1', 'b'], 'bits': [True, False]},
        ),
        (
            "{'n': LaunchConfiguration('n', default='7'), 't': LaunchConfiguration('t', default='true')}",
            {'n': 7, 't': True},
        ),
        (
            "{'l': LaunchConfiguration('l', default='[1.0, 2.0]'), 'e': LaunchConfiguration('e', default='')}",
            {'l': [1.0, 2.0], 'e': ''},
        ),
        (
            "{'joined': ['a', LaunchConfiguration('n', default='7')], "
            "'many': [[LaunchConfiguration('n', default='7')], ['8']]}",
            {'joined': 'a7', 'many': [7, 8]},
        ),
        ("{'s': ParameterValue(LaunchConfiguration('n', default='7'), value_type=str)}", {'s': '7'}),
        ("{'f': ParameterValue(LaunchConfiguration('n', default='7'), value_type=float)}", {'f': 7.0}),
        (
            "{'f': ParameterValue(LaunchConfiguration('n', default='[1, 2]'), value_type=List[float])}",
            {'f': [1.0, 2.0]},
        ),
        ("{'urdf': ParameterValue(Command('echo a: b: c'), value_type=str)}", {'urdf': 'a: b: c\n'}),
        ("{('k', LaunchConfiguration('n', default='7')): HERE.name}", {'k7': 'launch'}),
        ("{'same': (both := [1, 2]), 'again': both}", {'same': [1, 2], 'again': [1, 2]}),
    ],
)
def test_values_have_their_types(workspace, value, expected):
    told = report(workspace, f'parameters=[{value}]', before='from typing import List')
    assert yaml.safe_load(told['files'][0]) == {'/**': {'ros__parameters': expected}}
    assert '&' not in told['files'][0]


@pytest.mark.parametrize(
    ('settings', 'text'),
    [
        (
            "parameters=[{'u': LaunchConfiguration('u', default='a: b: c')}]",
            "the value of parameter 'u' is not YAML; if it is meant as a text, "
            'wrap it in ParameterValue(value, value_type=str)',
        ),
        (
            "parameters=[{'u': LaunchConfiguration('u', default='{a: 1}')}]",
            "the value of parameter 'u' must be a bool, int",
        ),
        ("parameters=[{'u': [1, 'a']}]", "parameter 'u' must be a list of at least one item, all of a type"),
        ("parameters=[{'u': []}]", "parameter 'u' must be a list of at least one item"),
        ("parameters=[{'u': None}]", "parameter 'u' has a value of type NoneType"),
        (
            "parameters=[{'u': ParameterValue(LaunchConfiguration('u', default='x'), value_type=int)}]",
            "parameter u must be of type int, got 'x'",
        ),
        ("parameters=['/no/such.yaml']", 'there is no parameter file /no/such.yaml'),
        ("name='9lives'", "a node name must be made of letters, digits and _ and not begin with a digit; got '9lives'"),
        ("namespace='a-b'", "no part may begin with a digit; got '/a-b'"),
        ("parameters={'a': 1}", 'parameters must be a list of files and dictionaries'),
    ],
)
def test_what_is_wrong_is_told_and_nothing_starts(workspace, settings, text):
    launched = workspace.launch_entities(f"python(''), Node(package='demo', executable='report', {settings}),")
    assert launched.end() == 1
    assert text in launched.output
    assert 'process started' not in launched.output
    assert list(workspace.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ('package', 'executable', 'text'),
    [
        ('demo', 'reprot', "package 'demo' has no executable 'reprot'; did you mean 'report'?"),
        ('deom', 'report', "no package named 'deom'; did you mean 'demo'?"),
    ],
)
def test_an_executable_that_is_not_there(workspace, package, executable, text):
    launched = workspace.launch_entities(f"python(''), Node(package='{package}', executable='{executable}'),")
    assert launched.end() == 1
    assert f'[ERROR] [launch]: {text}\n' in launched.output
    assert 'process started' not in launched.output


def test_an_empty_namespace_is_the_root(workspace):
    assert report(workspace, "namespace=LaunchConfiguration('namespace', default='')")['words'] == [
        '--ros-args',
        '-r',
        '__ns:=/',
    ]


def test_a_program_without_a_package(workspace):
    launched = workspace.launch_entities("Node(executable='echo', output='screen', name='n'),")
    assert launched.end() == 0
    assert '[echo-1] --ros-args -r __node:=n' in launched.output


def test_parameters_for_all_come_before_a_nodes_own(workspace):
    workspace.write('all.yaml', '/**: {ros__parameters: {a: 1}}')
    launched = workspace.launch_entities("""
        SetParameter(name='use_sim_time', value=LaunchConfiguration('sim', default='true')),
        SetParameter('text', 'a: b'), SetParametersFromFile(str(HERE.parents[2] / 'all.yaml')), SetUseSimTime(False),
        SetROSLogDir('/tmp/x'),
        Node(package='demo', executable='report', output='screen', parameters=[{'own': 1}]),
    """)
    assert launched.end() == 0
    told = launched.reports()[0]
    words = told['words']
    assert words[:5] == ['--ros-args', '-p', 'use_sim_time:=true', '-p', "text:='a: b'"]
    assert words[5:9] == ['--params-file', str(workspace.root / 'all.yaml'), '-p', 'use_sim_time:=false']
    assert yaml.safe_load(told['files'][1]) == {'/**': {'ros__parameters': {'own': 1}}}
    assert told['env']['ROS_LOG_DIR'] == '/tmp/x'


def test_substitutions_in_a_parameter_file(workspace):
    workspace.write(
        'it.yaml',
        """
        /**:
          ros__parameters:
            name: $(var robot)
            path: $(find-pkg-share $(var package))/x
            home: $(env NOT_SET nothing)
            sum: $(eval '1 + 2')
    """,
    )
    told = report(
        workspace,
        "parameters=[ParameterFile(HERE.parents[2] / 'it.yaml', allow_substs=True)]",
        'robot:=r2',
        'package:=demo',
    )
    values = yaml.safe_load(told['files'][0])['/**']['ros__parameters']
    assert values == {'name': 'r2', 'path': f'{workspace.share}/x', 'home': 'nothing', 'sum': 3}
    assert list(workspace.temporary.iterdir()) == []


def test_a_parameter_file_as_it_is(workspace):
    path = workspace.write('it.yaml', '/**: {ros__parameters: {a: $(var x)}}')
    told = report(workspace, "parameters=[ParameterFile(str(HERE.parents[2] / 'it.yaml'))]")
    assert told['words'] == ['--ros-args', '--params-file', str(path)]


def test_a_lifecycle_node_has_name_and_namespace(workspace):
    launched = workspace.launch_entities("""
        LifecycleNode(package='demo', executable='report', name='driver', namespace='', output='screen'),
    """)
    assert launched.end() == 0
    assert launched.reports()[0]['words'] == ['--ros-args', '-r', '__node:=driver', '-r', '__ns:=/']


@pytest.mark.parametrize(
    'action',
    [
        "ComposableNodeContainer(package='p', executable='e', name='c', namespace='', "
        'composable_node_descriptions=[NODE])',
        "LoadComposableNodes(composable_node_descriptions=[NODE], target_container='c')",
    ],
)
def test_composable_nodes_are_refused_with_a_way_out(workspace, action):
    before = "NODE = ComposableNode(package='p', plugin='p::N', name='n', parameters=[{}])"
    launched = workspace.launch_entities(f"python(''), {action},", before=before)
    assert launched.end() == 1
    assert 'composable nodes need rclcpp_components, which a ROS 2 from pip does not have' in launched.output
    assert 'process started' not in launched.output
    assert workspace.run('launch', workspace.add_launch(f'{action},', before=before), '-s').returncode == 0
