"""leave: the process ends at once, and what it wrote is there."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import atexit, sys
from loom.core.leaving import leave
atexit.register(print, 'taken apart')
print('out', end='')
print('err', end='', file=sys.stderr)
leave({code})
"""


def test_it_keeps_what_was_written_and_takes_nothing_apart() -> None:
    for code in (0, 3):
        ended = subprocess.run([sys.executable, '-c', PROGRAM.format(code=code)], capture_output=True, text=True,
                               timeout=20, check=False)
        assert (ended.returncode, ended.stdout, ended.stderr) == (code, 'out', 'err')


def test_a_reader_that_has_gone_changes_nothing() -> None:
    with subprocess.Popen([sys.executable, '-c', PROGRAM.format(code=3)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, 'PYTHONUNBUFFERED': ''}) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b'err'
        assert process.wait(20) == 3
