"""A small workspace with a package, and launches of files written by the tests."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROS2 = ROOT / 'ros_ws' / 'underlay' / 'bin' / 'ros2'
DEADLINE_S = 20.0
IMPORTS = """
import sys
from pathlib import Path
from launch import *
from launch.actions import *
from launch.conditions import *
from launch.event_handlers import *
from launch.events import *
from launch.actions import Shutdown
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import *
from launch.substitutions import *
from launch_ros.actions import *
from launch_ros.descriptions import *
from launch_ros.substitutions import FindPackageShare

HERE = Path(__file__).parent

def python(code, *words, **settings):
    settings.setdefault('name', 'it')
    settings.setdefault('output', 'screen')
    return ExecuteProcess(cmd=[sys.executable, '-S', '-u', '-c', code, *words], **settings)
"""
REPORT = """
import json, os, sys
words, files = sys.argv[1:], []
for flag, path in zip(words, words[1:]):
    if flag == '--params-file':
        files.append(open(path).read())
print(json.dumps({'words': words, 'files': files, 'env': dict(os.environ)}), flush=True)
"""


class Launched:
    """A running `ros2 launch` and all that it has written."""

    def __init__(self, words, env, shell_job=False):
        command = [str(ROS2), 'launch', *map(str, words)]
        if shell_job:
            command = ['sh', '-c', '"$@" & echo "job $!"; wait $!', 'sh', *command]
        self.process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        self.output = ''
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.output += line.decode()

    def wait_for(self, pattern):
        """The match of a regular expression, once it is there."""
        return until(lambda: re.search(pattern, self.output, re.MULTILINE), lambda: f'{pattern!r} in\n{self.output}')

    def pid_of(self, name):
        """The process id that the launch has told."""
        return int(self.wait_for(rf'\[{name}\]: process started with pid \[(\d+)\]')[1])

    def send(self, number):
        """Send a signal to the launch itself."""
        self.process.send_signal(number)

    def end(self, number=None):
        """The exit code, after a signal if one is given."""
        if number is not None:
            self.send(number)
        code = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def reports(self):
        """What the nodes named `report` have told of themselves."""
        return [json.loads(text) for text in re.findall(r'^\[report-\d+\] (\{.*\})$', self.output, re.MULTILINE)]


def until(condition, what):
    """What the condition gives once it is true; fails after the deadline."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError(f'not in time: {what()}')


def is_alive(pid):
    """Whether a process exists and is no zombie."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


class Workspace:
    """A prefix with the package `demo`, whose executable `report` prints its arguments."""

    def __init__(self, root):
        self.root = root
        self.share = root / 'share' / 'demo'
        self.logs = root / 'logs'
        self.temporary = root / 'tmp'
        self.running = []
        for folder in (self.share / 'launch', self.logs, self.temporary):
            folder.mkdir(parents=True)
        self.write('share/ament_index/resource_index/packages/demo', '')
        self.add_executable('report', REPORT)
        prefixes = [str(root), os.environ.get('AMENT_PREFIX_PATH', sys.prefix)]
        self.env = {
            **os.environ,
            'AMENT_PREFIX_PATH': os.pathsep.join(prefixes),
            'PATH': os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]),
            'ROS_LOG_DIR': str(self.logs),
            'TMPDIR': str(self.temporary),
        }

    def write(self, name, text):
        """The path of a new file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def add_executable(self, name, code):
        """A Python program that belongs to the package."""
        path = self.write(f'lib/demo/{name}', f'#!{sys.executable} -S\n{code}')
        path.chmod(0o755)

    def add_launch(self, entities, name='it.launch.py', before=''):
        """The path of a launch file of the package, from the text of a list of entities."""
        body = textwrap.indent(textwrap.dedent(entities).strip(), '        ')
        code = f'{IMPORTS}\n{textwrap.dedent(before)}\n\ndef generate_launch_description():\n'
        return self.write(f'share/demo/launch/{name}', f'{code}    return LaunchDescription([\n{body}\n    ])\n')

    def launch(self, *words, **settings):
        """Launch something; it is ended with the test."""
        launched = Launched(words, self.env, **settings)
        self.running.append(launched)
        return launched

    def launch_entities(self, entities, *words, before=''):
        """Launch a file made of these entities."""
        return self.launch(self.add_launch(entities, before=before), *words)

    def run(self, *words):
        """The result of a `ros2` command that ends by itself."""
        return subprocess.run(
            [ROS2, *words], env=self.env, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )


@pytest.fixture
def workspace(tmp_path):
    """A workspace of the test's own; nothing that was launched in it survives."""
    space = Workspace(tmp_path)
    yield space
    for launched in space.running:
        if launched.process.poll() is None:
            launched.send(signal.SIGKILL)
            launched.end()


@pytest.fixture
def stand_in():
    """Skips where a real `launch` takes the place of the stand-in."""
    import launch

    if 'underlay' not in launch.__file__:
        pytest.skip('a real ROS 2 is sourced')


@pytest.fixture
def context(stand_in, tmp_path, monkeypatch):
    """A launch context whose changes of the environment are undone."""
    from launch import LaunchContext
    from launch.logging import launch_config

    before = dict(os.environ)
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    made = LaunchContext()
    yield made
    launch_config.files.close()
    for clean_up in made.cleanups:
        clean_up()
    made.loop.close()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def service(stand_in, tmp_path, monkeypatch):
    """A launch service that logs into a folder of the test's own."""
    from launch import LaunchService

    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    return LaunchService()


@pytest.fixture
def alive():
    """The function that tells whether a process exists."""
    return is_alive


@pytest.fixture
def eventually():
    """The function that waits for a condition."""
    return lambda condition: until(condition, lambda: 'the condition')
