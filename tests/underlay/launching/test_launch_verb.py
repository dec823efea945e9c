"""`ros2 launch`: finding files, arguments, `--show-args`, errors before anything starts."""

import signal
import subprocess
from pathlib import Path

import pytest

ROS2 = Path(__file__).resolve().parents[3] / 'ros_ws' / 'underlay' / 'bin' / 'ros2'
pytestmark = pytest.mark.usefixtures('stand_in')


def test_a_file_is_found_in_the_share_of_its_package(workspace):
    workspace.add_launch('python(\'print("found")\'),')
    launched = workspace.launch('demo', 'it.launch.py')
    assert launched.end() == 0
    assert '[it-1] found' in launched.output


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        (['demo', 'its.launch.py'], "package 'demo' has no launch file 'its.launch.py'; did you mean 'it.launch.py'?"),
        (['dem', 'it.launch.py'], "no package named 'dem'; did you mean 'demo'?"),
        (['nowhere.launch.py'], "there is no launch file 'nowhere.launch.py'; give PACKAGE FILE or the path of a file"),
        (['demo', 'it.launch.py', 'world'], "a launch argument must be NAME:=VALUE, got 'world'"),
        (['demo', 'twice.launch.py'], "package 'demo' has several files 'twice.launch.py'; give one path of: "),
    ],
)
def test_what_can_not_be_found_is_one_line_and_code_1(workspace, words, text):
    workspace.add_launch('')
    workspace.write('share/demo/a/twice.launch.py', '')
    workspace.write('share/demo/b/twice.launch.py', '')
    result = workspace.run('launch', *words)
    assert result.returncode == 1
    assert result.stderr.startswith(f'ros2 launch: {text}')
    assert result.stderr.count('\n') == 1
    assert result.stdout == ''


ARGUMENTS = """
    DeclareLaunchArgument('world', default_value='home', description='The world.', choices=['home', 'warehouse']),
    DeclareLaunchArgument('robot', default_value=['bot', TextSubstitution(text='_1')]),
    LogInfo(msg=['<visited>']),
    python('import sys; print(sys.argv[1:])', LaunchConfiguration('world'), LaunchConfiguration('robot')),
"""


def test_arguments_are_given_and_have_defaults(workspace):
    launched = workspace.launch_entities(ARGUMENTS, 'world:=warehouse')
    assert launched.end() == 0
    assert "[it-1] ['warehouse', 'bot_1']" in launched.output


def test_an_empty_value_and_a_value_with_signs_are_passed_on(workspace):
    launched = workspace.launch_entities(ARGUMENTS, 'robot:=a:=b c')
    assert launched.end() == 0
    assert "[it-1] ['home', 'a:=b c']" in launched.output
    assert workspace.launch_entities(ARGUMENTS, 'robot:=').end() == 0


@pytest.mark.parametrize(
    ('argument', 'text'),
    [
        ('wrold:=home', "no launch argument named 'wrold'; did you mean 'world'? (--show-args lists them)"),
        ('zzz:=1', "no launch argument named 'zzz'; there are: robot, world (--show-args lists them)"),
        ('world:=moon', "launch argument 'world' must be one of home, warehouse; got 'moon'"),
    ],
)
def test_a_wrong_argument_starts_nothing(workspace, argument, text):
    launched = workspace.launch_entities(ARGUMENTS, argument)
    assert launched.end() == 1
    assert f'[ERROR] [launch]: {text}\n' in launched.output
    assert 'process started' not in launched.output
    assert 'Traceback' not in launched.output


def test_a_required_argument_that_is_missing_starts_nothing(workspace):
    launched = workspace.launch_entities("python(''), DeclareLaunchArgument('map', description='The map.'),")
    assert launched.end() == 1
    assert "launch argument 'map' is required (The map.): pass map:=<value>" in launched.output
    assert 'process started' not in launched.output


def test_an_argument_that_is_only_read_is_known(workspace):
    launched = workspace.launch_entities(
        "LogInfo(msg=LaunchConfiguration('free', default='none')),", 'free:=given', 'sigterm_timeout:=3'
    )
    assert launched.end() == 0
    assert '[INFO] [launch.user]: given' in launched.output


def test_show_args_descends_into_groups_handlers_and_includes(workspace):
    workspace.add_launch(
        "DeclareLaunchArgument('inner', default_value='1', description='From within.'),", 'inner.launch.py'
    )
    path = workspace.add_launch("""
        DeclareLaunchArgument('world', default_value='home', description='The world.', choices=['home', 'warehouse']),
        DeclareLaunchArgument('map', description='The map.'),
        GroupAction([DeclareLaunchArgument('grouped', default_value=LaunchConfiguration('map'))]),
        IncludeLaunchDescription(PythonLaunchDescriptionSource([FindPackageShare('demo'), '/launch/inner.launch.py'])),
        IncludeLaunchDescription(PythonLaunchDescriptionSource([LaunchConfiguration('map'), '/unknown.launch.py'])),
        DeclareLaunchArgument('map', default_value='second', description='Not this one.'),
        GroupAction([DeclareLaunchArgument('maybe', default_value='')], condition=IfCondition('false')),
        python('', on_exit=[DeclareLaunchArgument('late', default_value='')]),
    """)
    result = workspace.run('launch', path, '--show-args')
    assert result.returncode == 0
    assert (
        result.stdout
        == """\
Arguments (pass arguments as '<name>:=<value>'):

    'world':
        The world. Valid choices are: ['home', 'warehouse']
        (default: 'home')

    'map':
        The map.

    'grouped':
        no description given
        (default: LaunchConfig('map'))

    'inner':
        From within.
        (default: '1')

    'maybe':*
        no description given
        (default: '')

    'late':
        no description given
        (default: '')

* argument(s) which are only used if specific conditions occur
"""
    )


def test_show_args_of_a_file_without_any(workspace):
    assert 'No arguments.' in workspace.run('launch', workspace.add_launch(''), '-s').stdout


def test_print_shows_the_tree(workspace):
    path = workspace.add_launch("GroupAction([LogInfo(msg='x')]), python('pass'),")
    result = workspace.run('launch', path, '--print')
    assert result.returncode == 0
    assert '    GroupAction()\n        PushLaunchConfigurations()\n' in result.stdout
    assert "\n    ExecuteProcess(cmd=['" in result.stdout


def test_options_may_come_between_arguments(workspace):
    launched = workspace.launch(workspace.add_launch(ARGUMENTS), 'robot:=x', '-a', '-n', 'world:=home')
    assert launched.end() == 0
    assert "['home', 'x']" in launched.output


def test_a_launch_prefix_runs_the_processes_that_match(workspace):
    path = workspace.add_launch("""
        ExecuteProcess(cmd=['echo', 'one'], output='screen'),
        ExecuteProcess(cmd=['printf', 'two'], output='screen'),
    """)
    launched = workspace.launch(path, '--launch-prefix', 'echo prefixed', '--launch-prefix-filter', 'echo')
    assert launched.end() == 0
    assert '[echo-1] prefixed echo one' in launched.output
    assert '[printf-2] two' in launched.output


@pytest.mark.parametrize(
    ('code', 'text'),
    [
        ('import no_such_module', "does not load: ModuleNotFoundError: No module named 'no_such_module'"),
        ('def x(:', 'does not load: SyntaxError: '),
        ('', 'must define generate_launch_description()'),
        ('def generate_launch_description(): return 1', 'must return a LaunchDescription, got 1'),
        ('def generate_launch_description(): return 1 / 0', 'fails: ZeroDivisionError: division by zero'),
    ],
)
def test_a_broken_file_is_one_line_and_code_1(workspace, code, text):
    path = workspace.write('broken.launch.py', code)
    for words in ([path], [path, '--show-args']):
        result = workspace.run('launch', *words)
        assert result.returncode == 1
        assert text in result.stdout + result.stderr
        assert 'Traceback' not in result.stdout + result.stderr


def test_an_xml_file_says_what_it_needs(workspace):
    path = workspace.write('it.launch.xml', '<launch/>')
    launched = workspace.launch(path)
    assert launched.end() == 1
    assert 'is XML or YAML, which needs a full ROS 2' in launched.output


def test_an_exception_while_visiting_starts_nothing_and_debug_shows_it(workspace):
    entities = "python(''), OpaqueFunction(function=lambda context: 1 / 0),"
    launched = workspace.launch_entities(entities)
    assert launched.end() == 1
    assert 'Caught exception in launch (see debug for traceback): ZeroDivisionError' in launched.output
    assert 'process started' not in launched.output
    assert 'Traceback' not in launched.output
    launched = workspace.launch_entities(entities, '--debug')
    assert launched.end() == 1
    assert 'Traceback' in launched.output


def test_an_exception_while_running_ends_all_with_code_1(workspace):
    launched = workspace.launch_entities("""
        python('import time; time.sleep(60)', name='other'),
        python('', on_exit=lambda event, context: 1 / 0),
    """)
    assert launched.end() == 1
    assert '[other-1]: process has died' in launched.output


def test_a_reader_that_goes_away_does_not_stop_the_processes(workspace, eventually):
    done = workspace.root / 'done'
    code = f"import time\nfor i in range(50): print(i); time.sleep(0.01)\nopen({str(done)!r}, 'w')"
    path = workspace.add_launch(f'python({code!r}),')
    pipe = 'ros2 launch "$0" | head -n 4; echo head is gone'
    environment = {**workspace.env, 'PATH': f'{ROS2.parent}:{workspace.env["PATH"]}'}
    subprocess.run(['sh', '-c', pipe, path], env=environment, stdout=subprocess.DEVNULL, timeout=20, check=True)
    eventually(done.exists)


def test_log_files_are_where_they_should_be_and_may_be_impossible(workspace):
    launched = workspace.launch_entities("LogInfo(msg='logged'),")
    assert launched.end() == 0
    folder = next(workspace.logs.iterdir())
    assert f'All log files can be found below {folder}' in launched.output
    assert '[INFO] [launch.user]: logged' in (folder / 'launch.log').read_text()
    workspace.env['ROS_LOG_DIR'] = str(workspace.write('a_file', '') / 'below')
    launched = workspace.launch_entities("LogInfo(msg='still'), python('', output='both'),")
    assert launched.end() == 0
    assert launched.output.count('no log files: ') == 1


def test_it_yields_to_a_real_ros2(workspace):
    real = workspace.write('bin/ros2', '#!/bin/sh\necho real "$@"\n')
    real.chmod(0o755)
    workspace.env['PATH'] += f':{real.parent}'
    assert workspace.run('launch', 'demo', 'a b').stdout == 'real launch demo a b\n'


def test_help_and_unknown_verbs(workspace):
    assert 'launch     Run a launch file.' in workspace.run('--help').stdout
    result = workspace.run('lunch')
    assert (result.returncode, result.stderr) == (1, "ros2: no verb named 'lunch'; did you mean 'launch'?\n")
    assert '--show-args' in workspace.run('launch', '--help').stdout


def test_a_launch_is_quick_to_start_and_to_end(workspace):
    launched = workspace.launch_entities("python('import time; time.sleep(60)'),")
    launched.wait_for('process started')
    assert launched.end(signal.SIGINT) == 0
