"""Where the lines of a process go: the screen, ``launch.log``, log files of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from .errors import LaunchError
from .logging import launch_config

OutputOption = str | Mapping[str, str | Iterable[str]]

SINKS = ('screen', 'log', 'own_log')
STREAMS = {1: 'stdout', 2: 'stderr'}
OUTPUTS: dict[str, dict[str, set[str]]] = {
    'screen': {'both': {'screen'}},
    'log': {'stdout': {'log'}, 'stderr': {'log', 'screen'}},
    'both': {'both': {'screen', 'log'}},
    'own_log': {'both': {'own_log'}},
    'full': {'both': set(SINKS)},
}
LONGEST_LINE_BYTES = 1 << 20


def parse_output(option: OutputOption) -> dict[int, set[str]]:
    """Return the sinks of each stream by its number; LaunchError if the option is unknown."""
    if isinstance(option, str):
        if option not in OUTPUTS:
            raise LaunchError(f'output must be one of {", ".join(OUTPUTS)}, got {option!r}')
        option = OUTPUTS[option]
    sinks: dict[int, set[str]] = {1: set(), 2: set()}
    for stream, names in option.items():
        for number, name in STREAMS.items():
            if stream in (name, 'both'):
                sinks[number] |= {names} if isinstance(names, str) else set(names)
    wrong = [name for names in sinks.values() for name in names if name not in SINKS]
    if wrong or not set(option) <= {'stdout', 'stderr', 'both'}:
        raise LaunchError(f'output must map stdout, stderr or both to some of {", ".join(SINKS)}; got {option!r}')
    return sinks


class ProcessOutput:
    """Cuts the output of one process into lines and writes them."""

    def __init__(self, name: str, option: OutputOption, format_line: Callable[[str], str], cached: bool) -> None:
        """Keep the name of the process, where its lines go and how they look."""
        self._name = name
        self._sinks = parse_output(option)
        self._format = format_line
        self._rest = {1: b'', 2: b''}
        self._cache: dict[int, list[bytes]] | None = {1: [], 2: []} if cached else None

    def feed(self, stream: int, data: bytes) -> None:
        """Write the lines that are complete."""
        if self._cache is not None:
            self._cache[stream].append(data)
        *lines, rest = (self._rest[stream] + data).split(b'\n')
        if len(rest) > LONGEST_LINE_BYTES:
            lines, rest = [*lines, rest], b''
        self._rest[stream] = rest
        self._write(stream, lines)

    def flush(self) -> None:
        """Write the lines that have no end."""
        for stream, rest in self._rest.items():
            self._rest[stream] = b''
            if rest:
                self._write(stream, [rest])

    def cached(self, stream: int) -> str:
        """Return all output of a stream; RuntimeError unless it is cached."""
        if self._cache is None:
            raise RuntimeError(f'the output of {self._name} is kept only with cached_output=True')
        return b''.join(self._cache[stream]).decode(errors='replace')

    def _write(self, stream: int, lines: list[bytes]) -> None:
        if not lines:
            return
        texts = [self._format(line.rstrip(b'\r').decode(errors='replace')) for line in lines]
        if 'screen' in self._sinks[stream]:
            launch_config.screen.write(''.join(f'{text}\n' for text in texts))
        if 'log' in self._sinks[stream]:
            launch_config.files.write('launch.log', ''.join(f'{time.time():.7f} {text}\n' for text in texts))
        if 'own_log' in self._sinks[stream]:
            for file in (STREAMS[stream], 'stdout_stderr'):
                launch_config.files.write(f'{self._name}-{file}.log', ''.join(f'{text}\n' for text in texts))
