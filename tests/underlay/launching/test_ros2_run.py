"""`ros2 run`."""

import json
import signal
import subprocess

import pytest

pytestmark = pytest.mark.usefixtures('stand_in')


def test_all_words_reach_the_executable(workspace):
    result = workspace.run('run', 'demo', 'report', '--flag', '-h', '--ros-args', '-p', 'x:=1', '--', 'a b')
    assert result.returncode == 0
    assert json.loads(result.stdout)['words'] == ['--flag', '-h', '--ros-args', '-p', 'x:=1', '--', 'a b']


def test_the_exit_code_is_that_of_the_executable(workspace):
    workspace.add_executable('fails', 'raise SystemExit(5)')
    assert workspace.run('run', 'demo', 'fails').returncode == 5


def test_a_prefix_comes_before(workspace):
    result = workspace.run('run', '--prefix', 'echo "a b"', 'demo', 'report', 'x')
    assert result.stdout == f'a b {workspace.root}/lib/demo/report x\n'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_reach_the_executable_because_it_takes_the_place(workspace, number):
    workspace.add_executable('sleeper', 'import os, time; print(os.getpid(), flush=True); time.sleep(60)')
    from pathlib import Path

    ros2 = Path(__file__).resolve().parents[3] / 'ros_ws' / 'underlay' / 'bin' / 'ros2'
    command = [ros2, 'run', 'demo', 'sleeper']
    process = subprocess.Popen(command, env=workspace.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert int(process.stdout.readline()) == process.pid
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == -number


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        (['demo', 'reprot'], "package 'demo' has no executable 'reprot'; did you mean 'report'?"),
        (['deom', 'report'], "no package named 'deom'; did you mean 'demo'?"),
        (['--prefix', 'no_such_program', 'demo', 'report'], '[Errno 2] No such file or directory'),
    ],
)
def test_what_is_not_there_is_one_line_and_code_1(workspace, words, text):
    result = workspace.run('run', *words)
    assert (result.returncode, result.stdout) == (1, '')
    assert result.stderr.startswith(f'ros2 run: {text}')
    assert result.stderr.count('\n') == 1


def test_a_missing_word_is_a_usage_error(workspace):
    result = workspace.run('run', 'demo')
    assert result.returncode == 2
    assert 'usage: ros2 run' in result.stderr
