"""The output of a command."""

from __future__ import annotations

import shlex
import subprocess

from .. import logging
from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure

POLICIES = ('fail', 'ignore', 'warn', 'capture')


class Command(Substitution):
    """Runs a command to its end and gives what it writes to stdout."""

    def __init__(self, command: SomeSubstitutionsType, *, on_stderr: SomeSubstitutionsType = 'fail') -> None:
        """Keep the command; ``on_stderr`` is fail, ignore, warn or capture."""
        self.__command = normalize_to_list_of_substitutions(command)
        self.__on_stderr = normalize_to_list_of_substitutions(on_stderr)

    @property
    def command(self) -> list[Substitution]:
        """The command."""
        return self.__command

    def describe(self) -> str:
        """Return the constructor call."""
        return f'Command({" + ".join(each.describe() for each in self.__command)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the output; SubstitutionFailure if the command fails or writes to stderr."""
        text = perform_substitutions(context, self.__command)
        policy = perform_substitutions(context, self.__on_stderr)
        if policy not in POLICIES:
            raise SubstitutionFailure(f'on_stderr must be one of {", ".join(POLICIES)}, got {policy!r}')
        try:
            result = subprocess.run(
                shlex.split(text), capture_output=True, text=True, env=dict(context.environment), check=False
            )
        except OSError as error:
            raise SubstitutionFailure(f'command {text!r} can not be run: {error.strerror}') from error
        return self._judge(text, policy, result)

    def _judge(self, text: str, policy: str, result: subprocess.CompletedProcess[str]) -> str:
        """Return the output if exit code and stderr are as wanted."""
        if result.returncode:
            raise SubstitutionFailure(f'command {text!r} ended with {result.returncode}: {result.stderr.strip()}')
        if result.stderr and policy == 'fail':
            raise SubstitutionFailure(f'command {text!r} wrote to stderr: {result.stderr.strip()}')
        if result.stderr and policy == 'warn':
            logging.get_logger().warning(f'command {text!r} wrote to stderr: {result.stderr.strip()}')
        return result.stdout + (result.stderr if policy == 'capture' else '')
