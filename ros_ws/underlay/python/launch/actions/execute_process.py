"""Run a command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..descriptions import Executable
from ..descriptions.executable import Environment
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from .execute_local import ExecuteLocal


class ExecuteProcess(ExecuteLocal):
    """Starts a command given by its words."""

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: Environment | None = None,
        additional_env: Environment | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep the command; see :class:`ExecuteLocal` for how it is run."""
        executable = Executable(cmd=cmd, prefix=prefix, name=name, cwd=cwd, env=env, additional_env=additional_env)
        super().__init__(process_description=executable, **kwargs)

    @property
    def name(self) -> str:
        """The name of the process, such as 'camera-1', once it is prepared."""
        return self.process_description.final_name

    @property
    def cmd(self) -> list[list[Substitution]]:
        """The words of the command."""
        return self.process_description.cmd

    def describe(self) -> str:
        """Return the command in words."""
        words = ' '.join(' + '.join(each.describe() for each in part) for part in self.cmd)
        return f'{type(self).__name__}(cmd=[{words}])'
