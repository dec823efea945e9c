"""Processes under `ros2 launch`: output, exit codes, respawn, environment, events."""

import os
import signal
import sys

import pytest

pytestmark = pytest.mark.usefixtures('stand_in')


def test_lines_have_the_name_and_number_of_their_process(workspace):
    launched = workspace.launch_entities("""
        python('print("one")', name='first'),
        python('import sys; print("two", file=sys.stderr)', name='second'),
    """)
    assert launched.end() == 0
    assert '[first-1] one\n' in launched.output
    assert '[second-2] two\n' in launched.output
    assert '[INFO] [first-1]: process started with pid [' in launched.output
    assert '[INFO] [first-1]: process has finished cleanly [pid ' in launched.output


def test_a_line_without_an_end_is_shown_and_bad_bytes_do_no_harm(workspace):
    launched = workspace.launch_entities(r"""
        python(r'import os; os.write(1, b"a\xff\nlast")'),
    """)
    assert launched.end() == 0
    assert '[it-1] a\ufffd\n[it-1] last\n' in launched.output


def test_a_process_that_died_is_told_and_the_launch_still_ends_with_0(workspace):
    launched = workspace.launch_entities('python("raise SystemExit(7)"),')
    assert launched.end() == 0
    assert '[ERROR] [it-1]: process has died [pid ' in launched.output
    assert 'exit code 7, cmd ' in launched.output


def test_a_missing_program_is_told_and_the_others_run(workspace):
    launched = workspace.launch_entities("""
        ExecuteProcess(cmd=['no_such_program']),
        python('print("still here")'),
    """)
    assert launched.end() == 0
    assert '[ERROR] [no_such_program-1]: exception occurred while executing process: [Errno 2]' in launched.output
    assert 'still here' in launched.output


@pytest.mark.parametrize(
    ('output', 'screen', 'log'),
    [
        ("'screen'", {'out', 'err'}, set()),
        ("'log'", {'err'}, {'out', 'err'}),
        ("'both'", {'out', 'err'}, {'out', 'err'}),
        ("'own_log'", set(), set()),
        ("{'stdout': 'log', 'stderr': {'screen', 'own_log'}}", {'err'}, {'out'}),
        ("LaunchConfiguration('sink', default='both')", {'out', 'err'}, {'out', 'err'}),
    ],
)
def test_output_goes_where_it_is_wanted(workspace, output, screen, log):
    launched = workspace.launch_entities(f"""
        python('import sys; print("<out>"); print("<err>", file=sys.stderr)', output={output}),
    """)
    assert launched.end() == 0
    logged = next(workspace.logs.glob('*/launch.log')).read_text()
    lines = [line for line in launched.output.splitlines() if line.startswith('[it-1]')]
    assert {word for word in ('out', 'err') if f'[it-1] <{word}>' in lines} == screen
    assert {word for word in ('out', 'err') if f' [it-1] <{word}>\n' in logged} == log
    own = {path.name for path in workspace.logs.glob('*/it-1-*.log')}
    assert bool(own) == ('own_log' in output)


def test_an_unknown_output_is_refused(workspace):
    launched = workspace.launch_entities("python('', output='scren'),")
    assert launched.end() == 1
    assert "[ERROR] [launch]: output must be one of screen, log, both, own_log, full, got 'scren'" in launched.output


def test_environment_folder_and_shell(workspace):
    launched = workspace.launch_entities("""
        SetEnvironmentVariable('A', 'launch'),
        AppendEnvironmentVariable('A', 'more', separator=':'),
        python('import os; print(os.environ["A"], os.environ["B"], os.getcwd())',
               additional_env={'B': LaunchConfiguration('b', default='own')}, cwd='/'),
        python('import os; print(sorted(set(os.environ) - {"LC_CTYPE"}))', env={'ONLY': '1'}),
        ExecuteProcess(cmd=['echo "$A" | tr a-z A-Z'], shell=True, name='sh', output='screen'),
    """)
    assert launched.end() == 0
    assert '[it-1] launch:more own /\n' in launched.output
    assert "[it-2] ['ONLY']\n" in launched.output
    assert '[sh-3] LAUNCH:MORE\n' in launched.output


def test_a_terminal_is_emulated(workspace):
    launched = workspace.launch_entities("""
        python('import sys; print(sys.stdout.isatty(), sys.stderr.isatty())', emulate_tty=True),
        python('import sys; print(sys.stdout.isatty())'),
    """)
    assert launched.end() == 0
    assert '[it-1] True True\n' in launched.output
    assert '[it-2] False\n' in launched.output


def test_respawn_as_often_as_allowed(workspace):
    launched = workspace.launch_entities("""
        python('print("up"); raise SystemExit(1)', respawn=True, respawn_delay=0.01, respawn_max_retries=2),
    """)
    assert launched.end() == 0
    assert launched.output.count('[it-1] up\n') == 3
    assert launched.output.count('process has died') == 3


def test_nothing_respawns_once_the_launch_ends(workspace):
    launched = workspace.launch_entities("""
        python('import time; print("up"); time.sleep(60)', respawn=LaunchConfiguration('again', default='true')),
        python('raise SystemExit(1)', name='quick', respawn='True', respawn_delay=60.0),
    """)
    launched.wait_for(r'^\[it-1\] up')
    launched.wait_for(r'quick-2\]: process has died')
    assert launched.end(signal.SIGINT) == 0
    assert launched.output.count('[it-1] up\n') == 1
    assert launched.output.count('process started') == 2


def test_a_killed_process_respawns(workspace, alive):
    launched = workspace.launch_entities('python(\'import time; print("up"); time.sleep(60)\', respawn=True),')
    first = launched.pid_of('it-1')
    launched.wait_for(r'\[it-1\] up')
    os.kill(first, signal.SIGKILL)
    launched.wait_for(r'up\n(.*\n)+\[it-1\] up')
    assert not alive(first)
    assert launched.end(signal.SIGINT) == 0


def test_events_of_processes_call_their_handlers_in_order(workspace):
    launched = workspace.launch_entities("""
        (first := python('print("said")', name='first')),
        RegisterEventHandler(OnProcessStart(target_action=first, on_start=[LogInfo(msg='<started>')])),
        RegisterEventHandler(OnProcessIO(
            target_action=first, on_stdout=lambda event: LogInfo(msg=event.text.decode().strip()))),
        RegisterEventHandler(OnProcessExit(target_action=first, on_exit=lambda event, context: [
            LogInfo(msg=f'<exited {event.returncode} {event.process_name}>'), python('print("then")', name='second')])),
        RegisterEventHandler(OnExecutionComplete(target_action=first, on_completion=LogInfo(msg='<complete>'))),
        RegisterEventHandler(OnShutdown(
            on_shutdown=[LogInfo(msg=['<shutdown ', LocalSubstitution('event.reason'), '>'])])),
    """)
    assert launched.end() == 0
    order = ['<started>', '[launch.user]: said', '<exited 0 first-1>', '[second-2] then', '<shutdown idle>']
    places = [launched.output.index(each) for each in order]
    assert places == sorted(places)
    assert '<complete>' in launched.output


def test_on_exit_shuts_everything_down(workspace):
    launched = workspace.launch_entities("""
        python('import time; time.sleep(60)', name='other'),
        python('', name='needed', on_exit=Shutdown(reason='it is over')),
    """)
    assert launched.end() == 0
    assert 'process[needed-2] was required: shutting down launched system' in launched.output
    assert '[other-1]: process has died' in launched.output


def test_timers_fire_and_are_called_off_by_the_end(workspace):
    launched = workspace.launch_entities("""
        TimerAction(period=0.05, actions=[LogInfo(msg='<soon>'), Shutdown()]),
        TimerAction(period=60.0, actions=[LogInfo(msg='<late>')]),
    """)
    assert launched.end() == 0
    assert '<soon>' in launched.output
    assert '<late>' not in launched.output


def test_a_process_is_signalled_and_ended_by_events(workspace):
    launched = workspace.launch_entities(
        """
        (target := python(CODE)),
        python('import time; time.sleep(60)', name='other'),
        RegisterEventHandler(OnProcessIO(target_action=target, on_stdout=answer)),
        """,
        before="""
        from launch.events.process import SignalProcess, ShutdownProcess, matches_name
        CODE = 'import signal, time; signal.signal(10, lambda *a: print("usr1")); print("ready")'
        CODE += '\\nwhile 1: time.sleep(9)'

        def answer(event):
            if b'ready' in event.text:
                matcher = matches_action(event.action)
                return EmitEvent(event=SignalProcess(signal_number='SIGUSR1', process_matcher=matcher))
            if b'usr1' in event.text:
                return EmitEvent(event=ShutdownProcess(process_matcher=matches_name('it-1')))
        """,
    )
    launched.wait_for(r'\[it-1\]: process has died')
    assert "sending signal 'SIGUSR1' to process[it-1]" in launched.output
    assert 'other-2]: process has died' not in launched.output
    assert launched.end(signal.SIGINT) == 0


def test_much_output_is_complete(workspace):
    launched = workspace.launch_entities("python('for i in range(20000): print(i)'),")
    assert launched.end() == 0
    lines = [line for line in launched.output.splitlines() if line.startswith('[it-1] ')]
    assert lines == [f'[it-1] {number}' for number in range(20000)]


def test_cached_output_can_be_read(service):
    from launch import LaunchDescription
    from launch.actions import ExecuteProcess

    process = ExecuteProcess(cmd=[sys.executable, '-S', '-c', 'print("kept")'], cached_output=True)
    service.include_launch_description(LaunchDescription([process]))
    assert service.run() == 0
    assert (process.get_stdout(), process.get_stderr(), process.return_code) == ('kept\n', '', 0)


def test_an_action_is_executed_only_once(workspace):
    launched = workspace.launch_entities('(twice := python(\'print("ran")\')), twice,')
    assert launched.end() == 1
    assert 'it-1 is executed more than once: make two actions' in launched.output
    assert 'process started' not in launched.output
