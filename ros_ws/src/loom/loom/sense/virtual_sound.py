"""A sound card where there is none: a private PulseAudio with a room and a loudspeaker, alive while its users are.

What is played into `loom_room` is what the robot's microphone hears; what the robot says is played into `loom_speaker`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loom.core.errors import DeviceError

ROOM, ROOM_EAR = 'loom_room', 'loom_room_ear'
SPEAKER, SPEAKER_EAR = 'loom_speaker', 'loom_speaker_ear'
VARIABLES = ('ALSA_CONFIG_PATH', 'PULSE_COOKIE', 'PULSE_RUNTIME_PATH', 'JACK_NO_START_SERVER')
START_DEADLINE_S = 5.0
STOP_DEADLINE_S = 1.0


def needed(cards: Path = Path('/proc/asound/cards')) -> bool:
    """Whether this machine has neither a sound card nor a sound server."""
    server = Path(os.environ.get('XDG_RUNTIME_DIR', '/nonexistent'), 'pulse', 'native')
    if os.environ.get('PULSE_SERVER') or server.exists():
        return False
    return not cards.exists() or 'no soundcards' in cards.read_text()


class VirtualSound:
    """The virtual sound card of one robot; whichever of its processes needs it first starts it.

    The daemon reads a pipe that its starter holds, so it ends with the starter, however that one ends; other users
    then see their device disappear, and the first that opens it again starts another.
    """

    def __init__(self, namespace: str = '', domain_id: int | None = None) -> None:
        if domain_id is None:
            domain_id = int(os.environ.get('ROS_DOMAIN_ID') or 0)
        robot = hashlib.sha256(f'{namespace.strip("/")} {domain_id}'.encode()).hexdigest()[:12]
        parent = os.environ.get('XDG_RUNTIME_DIR') or tempfile.gettempdir()
        self.folder = Path(parent, f'loom-sound-{os.getuid()}-{robot}')
        self.socket = self.folder / 'native'
        self._daemon: subprocess.Popen[bytes] | None = None
        self._settings = -1

    @property
    def owner(self) -> bool:
        """Whether the daemon was started by this object and lives."""
        return self._daemon is not None and self._daemon.poll() is None

    def running(self) -> bool:
        """Whether a daemon of this user answers on the socket."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1.0)
                client.connect(str(self.socket))
        except OSError:
            return False
        return self.socket.stat().st_uid == os.getuid()

    def open(self) -> None:
        """Starts the daemon unless it runs, and points this process at it. Raises DeviceError where that fails."""
        with self._one_starter():
            if not self.running():
                self._start()
        self.use()

    def use(self) -> None:
        """Points ALSA in this process at the daemon; the settings lie in memory, so nothing stays behind."""
        if self._settings < 0:
            self._settings = os.memfd_create('loom-alsa')
            os.write(self._settings, self._alsa_settings().encode())
        path = self._settings_path()
        # The first 256 bytes of any file serve as the cookie, which this daemon ignores; without one libpulse
        # would write a cookie into the home folder.
        os.environ.update(zip(VARIABLES, (path, path, str(self.folder), '1')))

    def close(self) -> None:
        """Ends the daemon if this object started it."""
        if self._settings >= 0:
            if os.environ.get('ALSA_CONFIG_PATH') == self._settings_path():
                for name in VARIABLES:
                    os.environ.pop(name, None)
            os.close(self._settings)
            self._settings = -1
        self._end_daemon()

    def _end_daemon(self) -> None:
        if self._daemon is None:
            return
        assert self._daemon.stdin is not None
        self._daemon.stdin.close()
        try:
            self._daemon.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait(STOP_DEADLINE_S)
        self._daemon = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _settings_path(self) -> str:
        return f'/proc/{os.getpid()}/fd/{self._settings}'

    def _alsa_settings(self) -> str:
        names = {ROOM: 'loom_room', ROOM_EAR: 'loom_room.monitor', SPEAKER: 'loom_speaker',
                 SPEAKER_EAR: 'loom_speaker.monitor'}
        lines = [f'pcm.{name} {{ type pulse server "unix:{self.socket}" device "{device}" }}'
                 for name, device in names.items()]
        # PortAudio asserts that at least one of the listed devices can't be opened.
        return '\n'.join([*lines, 'pcm.absent { type hw card 31 }', ''])

    def _start(self) -> None:
        if shutil.which('pulseaudio') is None:
            raise DeviceError('no sound card, and pulseaudio is missing for a virtual one; type: '
                              'sudo apt install pulseaudio libasound2-plugins')
        self._end_daemon()
        sweep(self.folder.parent)
        self._make_folder()
        with tempfile.TemporaryFile() as errors:
            self._daemon = subprocess.Popen(self._command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                            stderr=errors, start_new_session=True, env=self._environment())
            deadline = time.monotonic() + START_DEADLINE_S
            while not self.running():
                if self._daemon.poll() is not None or time.monotonic() > deadline:
                    errors.seek(0)
                    reason = errors.read().decode(errors='replace').strip().splitlines()[-1:]
                    self._end_daemon()
                    raise DeviceError(f'pulseaudio must answer on {self.socket} within {START_DEADLINE_S} s; {reason}')
                time.sleep(0.005)

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        found = self.folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise DeviceError(f'{self.folder} must be a folder of this user; remove it')
        self.socket.unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        runtime = str(self.folder)
        return {**os.environ, 'PULSE_RUNTIME_PATH': runtime, 'PULSE_STATE_PATH': runtime,
                'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent'}

    def _command(self) -> list[str]:
        sound = 'rate=16000 channels=1 format=s16le norewinds=1'  # without norewinds a sink is 2 s late
        modules = (f'module-null-sink sink_name=loom_room {sound}', f'module-null-sink sink_name=loom_speaker {sound}',
                   f'module-native-protocol-unix socket={self.socket} auth-cookie-enabled=0 auth-group-enable=0',
                   'module-cli exit_on_eof=1')
        options = ('-n', '--daemonize=no', '--exit-idle-time=-1', '--disable-shm=yes', '--use-pid-file=no',
                   '--realtime=no', '--high-priority=no', '--log-target=stderr', '--log-level=0')
        return ['pulseaudio', *options, *(f'--load={module}' for module in modules)]

    @contextmanager
    def _one_starter(self) -> Iterator[None]:
        deadline = time.monotonic() + 2 * START_DEADLINE_S
        while (lock := _lock(self.folder)) is None:
            if time.monotonic() > deadline:
                raise DeviceError(f'another process starts the virtual sound {self.folder} for over '
                                  f'{2 * START_DEADLINE_S} s; end it')
            time.sleep(0.01)
        with lock:
            yield


def _lock(folder: Path) -> socket.socket | None:
    """An abstract socket name as the lock: it vanishes with its process and leaves no file; None: others hold it."""
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        lock.bind(f'\0{folder}.lock')
    except OSError:
        lock.close()
        return None
    return lock


def sweep(parent: Path) -> None:
    """Removes the empty folders of this user's robots that were killed."""
    for folder in parent.glob(f'loom-sound-{os.getuid()}-*'):
        lock = _lock(folder)
        if lock is None:
            continue
        with lock, suppress(OSError):
            folder.rmdir()
