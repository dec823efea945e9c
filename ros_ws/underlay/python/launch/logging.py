"""The messages of the launch system: on the screen and in ``launch.log``."""

from __future__ import annotations

import datetime
import io
import logging
import os
import select
import socket
import sys
from typing import TextIO


def log_directory(environment: dict[str, str] | None = None) -> str:
    """Return where ROS keeps its logs: ROS_LOG_DIR, else ROS_HOME/log, else ~/.ros/log."""
    variables = os.environ if environment is None else environment
    if variables.get('ROS_LOG_DIR'):
        return os.path.expanduser(variables['ROS_LOG_DIR'])
    return os.path.join(os.path.expanduser(variables.get('ROS_HOME') or os.path.join('~', '.ros')), 'log')


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes, waiting for the reader where needed.

    Python's own buffered streams lose what is left of a write that a signal interrupts.
    """
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])


class Screen:
    """Whole lines to stdout, until its reader is gone."""

    def write(self, text: str) -> None:
        """Write at once; a screen that can't be written to is no reason to stop a robot."""
        try:
            sys.stdout.flush()
            write_all(sys.stdout.fileno(), text.encode(errors='replace'))
        except io.UnsupportedOperation:
            sys.stdout.write(text)
        except (OSError, ValueError):
            pass


class LogFiles:
    """The files of one launch, each opened when it is first written to."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._directory: str | None = None
        self._files: dict[str, TextIO] = {}
        self._failed = False

    @property
    def directory(self) -> str:
        """The folder of this launch, made on first use."""
        if self._directory is None:
            stamp = datetime.datetime.now().strftime('%Y-%m-%d-%H-%M-%S-%f')
            self._directory = os.path.join(log_directory(), f'{stamp}-{socket.gethostname()}-{os.getpid()}')
            os.makedirs(self._directory, exist_ok=True)
        return self._directory

    def write(self, name: str, text: str) -> None:
        """Append to a file of this launch; a disk that can't be written to is told once."""
        if self._failed:
            return
        try:
            self._open(name).write(text)
        except OSError as error:
            self.give_up(error)

    def give_up(self, error: OSError) -> None:
        """Write no files from now on, and say why."""
        self._failed = True
        get_logger().warning(f'no log files: {error}')

    def _open(self, name: str) -> TextIO:
        if name not in self._files:
            path = os.path.join(self.directory, name)
            self._files[name] = open(path, 'a', encoding='utf-8', buffering=1)  # noqa: SIM115
        return self._files[name]

    def close(self) -> None:
        """Close all files; the next launch of this process gets a new folder."""
        for file in self._files.values():
            file.close()
        self.__init__()  # type: ignore[misc]


class ScreenHandler(logging.Handler):
    """Log records as lines on the screen."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        launch_config.screen.write(f'[{record.levelname}] [{record.name}]: {record.getMessage()}\n')


class FileHandler(logging.Handler):
    """Log records as lines of ``launch.log``."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record with its time in seconds."""
        line = f'{record.created:.7f} [{record.levelname}] [{record.name}]: {record.getMessage()}\n'
        launch_config.files.write('launch.log', line)


class LaunchConfig:
    """How this process logs."""

    def __init__(self) -> None:
        """Log from level INFO on."""
        self.level = logging.INFO
        self.screen = Screen()
        self.files = LogFiles()
        self.handlers: list[logging.Handler] = [ScreenHandler(), FileHandler()]

    @property
    def log_dir(self) -> str:
        """The folder of this launch's log files."""
        return self.files.directory


launch_config = LaunchConfig()


def get_logger(name: str | None = None) -> logging.Logger:
    """Return a logger that writes to the screen and to ``launch.log``."""
    logger = logging.Logger(name or 'launch', launch_config.level)
    logger.handlers = list(launch_config.handlers)
    return logger
