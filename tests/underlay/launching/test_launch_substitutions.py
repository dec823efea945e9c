"""Texts that are known only while launching."""

import math

import pytest


@pytest.fixture
def substitutions(stand_in):
    """The module."""
    import launch.substitutions

    return launch.substitutions


def test_texts_and_configurations(substitutions, context):
    context.launch_configurations.update(x='1', name='x')
    for made, text in [
        (substitutions.TextSubstitution(text='a'), 'a'),
        (substitutions.LaunchConfiguration('x'), '1'),
        (substitutions.LaunchConfiguration([substitutions.LaunchConfiguration('name')]), '1'),
        (substitutions.LaunchConfiguration('y', default=['a', substitutions.LaunchConfiguration('x')]), 'a1'),
        (substitutions.LaunchConfiguration('y', default=2.5), '2.5'),
        (substitutions.LaunchConfiguration('y', default=False), 'False'),
        (
            substitutions.PathJoinSubstitution(['/a', substitutions.LaunchConfiguration('x'), ['b', '.yaml']]),
            '/a/1/b.yaml',
        ),
    ]:
        assert made.perform(context) == text
    with pytest.raises(substitutions.SubstitutionFailure, match="launch configuration 'z' does not exist"):
        substitutions.LaunchConfiguration('z').perform(context)
    with pytest.raises(TypeError):
        substitutions.TextSubstitution(text=1)


@pytest.mark.parametrize(
    ('expression', 'value'),
    [
        ('1 + 1', '2'),
        ('cos(0) + math.floor(1.5)', '2.0'),
        ("'a' if True else 'b'", 'a'),
        ('[each for each in (1, 2)]', '[1, 2]'),
        ('math.pi', str(math.pi)),
    ],
)
def test_python_expressions(substitutions, context, expression, value):
    assert substitutions.PythonExpression(expression).perform(context) == value


def test_python_expressions_with_modules_and_errors(substitutions, context):
    assert substitutions.PythonExpression(['os.sep'], ['os']).perform(context) == '/'
    with pytest.raises(substitutions.SubstitutionFailure, match="Python expression 'nothing' fails"):
        substitutions.PythonExpression('nothing').perform(context)


@pytest.mark.parametrize(
    ('left', 'right', 'equal'),
    [
        ('a', 'a', True),
        ('a', 'b', False),
        ('1', '1.0', True),
        (True, 'true', True),
        ('0', False, True),
        (2, '2', True),
        (['a', 'b'], 'ab', True),
        ('0.1', 0.1, True),
        ('', 'x', False),
    ],
)
def test_equality(substitutions, context, left, right, equal):
    assert substitutions.EqualsSubstitution(left, right).perform(context) == str(equal).lower()
    assert substitutions.NotEqualsSubstitution(left, right).perform(context) == str(not equal).lower()


def test_truth_values(substitutions, context):
    s = substitutions
    for made, text in [
        (s.NotSubstitution('true'), 'false'),
        (s.NotSubstitution('0'), 'true'),
        (s.AndSubstitution('true', 'False'), 'false'),
        (s.OrSubstitution('true', 'never evaluated'), 'true'),
        (s.AllSubstitution('1', 'true', 'true'), 'true'),
        (s.AnySubstitution('0', 'false'), 'false'),
        (s.IfElseSubstitution('true', 'yes', 'no'), 'yes'),
        (s.IfElseSubstitution(s.NotSubstitution('true'), if_value='yes'), ''),
    ]:
        assert made.perform(context) == text


def test_the_environment_and_programs(substitutions, context, monkeypatch):
    monkeypatch.setenv('LOOM_TEST', 'set')
    assert substitutions.EnvironmentVariable('LOOM_TEST').perform(context) == 'set'
    assert substitutions.EnvironmentVariable('LOOM_NOT', default_value='d').perform(context) == 'd'
    with pytest.raises(substitutions.SubstitutionFailure, match="environment variable 'LOOM_NOT' does not exist"):
        substitutions.EnvironmentVariable('LOOM_NOT').perform(context)
    assert substitutions.FindExecutable(name='sh').perform(context).endswith('/sh')
    with pytest.raises(substitutions.SubstitutionFailure, match="no executable 'no_such_program' on PATH"):
        substitutions.FindExecutable(name='no_such_program').perform(context)


def test_commands(substitutions, context, capsys):
    def perform(command, **settings):
        return substitutions.Command(command, **settings).perform(context)

    assert perform(['echo "a  b" ', substitutions.TextSubstitution(text='c')]) == 'a  b c\n'
    loud = "sh -c 'echo out; echo err >&2'"
    assert perform(loud, on_stderr='ignore') == 'out\n'
    assert perform(loud, on_stderr='capture') == 'out\nerr\n'
    assert perform(loud, on_stderr='warn') == 'out\n'
    assert 'wrote to stderr: err' in capsys.readouterr().out
    for command, settings, text in [
        (loud, {}, 'wrote to stderr: err'),
        ('sh -c "echo why >&2; exit 3"', {}, 'ended with 3: why'),
        ('no_such_program', {}, 'can not be run: No such file'),
        ('true', {'on_stderr': 'explode'}, 'on_stderr must be one of fail, ignore, warn, capture'),
    ]:
        with pytest.raises(substitutions.SubstitutionFailure, match=text):
            perform(command, **settings)


def test_files_locals_and_names(substitutions, context, tmp_path):
    (tmp_path / 'x').write_text('content')
    assert substitutions.FileContent(str(tmp_path / 'x')).perform(context) == 'content'
    with pytest.raises(substitutions.SubstitutionFailure, match='can not be read'):
        substitutions.FileContent('/no/such').perform(context)
    context.extend_locals({'event': ValueError})
    assert substitutions.LocalSubstitution('event.__name__').perform(context) == 'ValueError'
    with pytest.raises(substitutions.SubstitutionFailure, match=r"no local value 'event\.nothing'"):
        substitutions.LocalSubstitution('event.nothing').perform(context)
    for place in (substitutions.ThisLaunchFile(), substitutions.ThisLaunchFileDir()):
        with pytest.raises(substitutions.SubstitutionFailure, match='outside of a launch file'):
            place.perform(context)
    anonymous = substitutions.AnonName('n')
    assert anonymous.perform(context) == anonymous.perform(context)
    assert anonymous.perform(context).startswith('n_')
    assert substitutions.LaunchLogDir().perform(context).startswith(str(tmp_path / 'log'))


def test_packages(context, workspace, monkeypatch):
    from launch.substitutions import SubstitutionFailure
    from launch_ros.substitutions import ExecutableInPackage, FindPackagePrefix, FindPackageShare, Parameter

    monkeypatch.setenv('AMENT_PREFIX_PATH', str(workspace.root))
    assert FindPackagePrefix('demo').perform(context) == str(workspace.root)
    assert FindPackageShare(['de', 'mo']).perform(context) == str(workspace.share)
    assert ExecutableInPackage('report', 'demo').perform(context) == str(workspace.root / 'lib/demo/report')
    with pytest.raises(SubstitutionFailure, match="no package named 'no such'; is its workspace sourced"):
        FindPackageShare('no such').perform(context)
    context.launch_configurations['global_params'] = [('p', 1), ('p', 2)]
    assert Parameter('p').perform(context) == '2'
    assert Parameter('q', default='d').perform(context) == 'd'
    with pytest.raises(SubstitutionFailure, match="parameter 'q' is not set"):
        Parameter('q').perform(context)
