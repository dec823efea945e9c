"""How a launch ends: signals, escalation, groups, the death of the launch itself."""

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

ROS2 = Path(__file__).resolve().parents[3] / 'ros_ws' / 'underlay' / 'bin' / 'ros2'
pytestmark = pytest.mark.usefixtures('stand_in')

SLEEPS = "import time; print('ready'); time.sleep(60)"
GRACEFUL = """
import signal, sys, time
def end(number, frame):
    print('got', signal.Signals(number).name)
    sys.exit(0)
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
print('ready')
time.sleep(60)
"""
STUBBORN = """
import signal, time
for number in map(int, '{ignored}'.split(',')):
    signal.signal(number, lambda number, frame: print('ignoring', number))
print('ready')
while True:
    time.sleep(0.05)
"""


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_all_processes_gracefully(workspace, number):
    launched = workspace.launch_entities(f'python({GRACEFUL!r}), python({GRACEFUL!r}),')
    launched.wait_for(r'\[it-1\] ready')
    launched.wait_for(r'\[it-2\] ready')
    assert launched.end(number) == 0
    for name in ('it-1', 'it-2'):
        assert f'[{name}] got SIGINT\n' in launched.output
        assert f'[{name}]: process has finished cleanly' in launched.output


def test_sigint_works_in_a_background_job_of_a_shell(workspace):
    launched = workspace.launch(workspace.add_launch(f'python({SLEEPS!r}),'), shell_job=True)
    launched.wait_for(r'\[it-1\] ready')
    os.kill(int(launched.wait_for(r'job (\d+)')[1]), signal.SIGINT)
    assert launched.end() == 0
    assert 'exit code -2' in launched.output


def test_ctrl_c_in_a_terminal_reaches_each_process_once(workspace):
    path = workspace.add_launch(f'python({GRACEFUL!r}),')
    ours, theirs = pty.openpty()
    command = ['setsid', '--ctty', '--wait', ROS2, 'launch', path]
    process = subprocess.Popen(command, env=workspace.env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    output = b''
    while b'[it-1] ready' not in output:
        output += os.read(ours, 4096)
    os.write(ours, b'\x03')
    try:
        while data := os.read(ours, 4096):
            output += data
    except OSError:
        pass
    os.close(ours)
    assert process.wait(20) == 0
    assert output.count(b'got SIGINT') == 1


def test_sigterm_comes_after_sigint(workspace):
    code = STUBBORN.format(ignored=2)
    launched = workspace.launch_entities(f'python({code!r}, sigterm_timeout="0.2"),')
    launched.wait_for('ready')
    assert launched.end(signal.SIGINT) == 0
    assert 'ignoring 2' in launched.output
    assert "failed to terminate '0.2' seconds after receiving 'SIGINT', escalating to 'SIGTERM'" in launched.output
    assert 'exit code -15' in launched.output


def test_sigkill_comes_last(workspace):
    code = STUBBORN.format(ignored='2,15')
    launched = workspace.launch_entities(f'python({code!r}),', 'sigterm_timeout:=0.1', 'sigkill_timeout:=0.2')
    launched.wait_for('ready')
    assert launched.end(signal.SIGTERM) == 0
    assert 'ignoring 2' in launched.output
    assert 'ignoring 15' in launched.output
    assert "failed to terminate '0.2' seconds after receiving 'SIGTERM', escalating to 'SIGKILL'" in launched.output
    assert 'exit code -9' in launched.output


def test_a_second_signal_changes_nothing(workspace):
    code = STUBBORN.format(ignored=2)
    launched = workspace.launch_entities(f'python({code!r}, sigterm_timeout=1.0),')
    launched.wait_for('ready')
    launched.send(signal.SIGINT)
    launched.wait_for('ignoring 2')
    launched.send(signal.SIGINT)
    launched.wait_for('user interrupted with SIGINT again, ignoring')
    assert launched.end() == 0
    assert launched.output.count('ignoring 2') == 1


def test_the_children_of_a_process_end_with_it(workspace, alive):
    code = "import subprocess, sys\np = subprocess.Popen(['sleep', '60'])\nprint('child', p.pid)\np.wait()"
    launched = workspace.launch_entities(f"""
        python({code!r}),
        ExecuteProcess(cmd=['sleep 61 & echo child $!'], shell=True, name='left', output='screen'),
        ExecuteProcess(cmd=['sleep 62 & echo child $!; wait'], shell=True, name='shell', output='screen'),
    """)
    children = [int(launched.wait_for(rf'\[{name}\] child (\d+)')[1]) for name in ('it-1', 'shell-3')]
    assert all(alive(pid) for pid in children)
    assert launched.end(signal.SIGINT) == 0
    assert not any(alive(pid) for pid in children)
    os.kill(int(launched.wait_for(r'\[left-2\] child (\d+)')[1]), signal.SIGKILL)


def test_a_stubborn_grandchild_is_killed_with_its_group(workspace, alive):
    code = STUBBORN.format(ignored='2,15').replace("'ready'", "'ready', __import__('os').getpid()")
    command = 'exec 3>&1; "$0" -S -u -c "$1" & exec sleep 60'
    launched = workspace.launch_entities(
        f"ExecuteProcess(cmd=['sh', '-c', {command!r}, sys.executable, {code!r}], name='it', output='screen'),",
        'sigterm_timeout:=0.1',
        'sigkill_timeout:=0.2',
    )
    grandchild = int(launched.wait_for(r'ready (\d+)')[1])
    assert launched.end(signal.SIGINT) == 0
    assert not alive(grandchild)


def test_processes_die_with_a_launch_that_is_killed(workspace, alive, eventually):
    launched = workspace.launch_entities(f'python({GRACEFUL!r}), python({SLEEPS!r}, respawn=True),')
    pids = [launched.pid_of('it-1'), launched.pid_of('it-2')]
    launched.wait_for(r'\[it-1\] ready')
    launched.send(signal.SIGKILL)
    launched.process.wait(20)
    eventually(lambda: not any(alive(pid) for pid in pids))


def test_a_signal_before_anything_runs_starts_nothing_more(workspace):
    launched = workspace.launch_entities(
        """
        LogInfo(msg='<visiting>'),
        OpaqueFunction(function=lambda context: __import__('time').sleep(0.5)),
        python('print("ran")'),
        """
    )
    launched.wait_for('<visiting>')
    assert launched.end(signal.SIGINT) == 0
    assert 'user interrupted' in launched.output


def test_temporary_files_are_gone_afterwards(workspace):
    workspace.add_executable('sleeper', "import time; print('ready', flush=True); time.sleep(60)")
    launched = workspace.launch_entities(
        "Node(package='demo', executable='sleeper', parameters=[{'a': 1}], output='screen'),"
    )
    launched.wait_for(r'\] ready')
    assert len(list(workspace.temporary.glob('launch_params_*'))) == 1
    assert launched.end(signal.SIGTERM) == 0
    assert list(workspace.temporary.iterdir()) == []
