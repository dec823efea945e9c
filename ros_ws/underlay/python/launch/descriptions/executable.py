"""A command with its environment."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..substitutions.launch_configuration import LaunchConfiguration
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..action import Action

Texts = list[Substitution]
Environment = Mapping[SomeSubstitutionsType, SomeSubstitutionsType]


def _optional(text: SomeSubstitutionsType | None) -> Texts | None:
    return None if text is None else normalize_to_list_of_substitutions(text)


def _pairs(environment: Environment | None) -> list[tuple[Texts, Texts]] | None:
    if environment is None:
        return None
    normalize = normalize_to_list_of_substitutions
    return [(normalize(name), normalize(value)) for name, value in environment.items()]


class Executable:
    """Describes a command; the final values exist once it is prepared."""

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: Environment | None = None,
        additional_env: Environment | None = None,
    ) -> None:
        """Keep the command and its surroundings; ``env`` replaces the environment, ``additional_env`` adds to it."""
        self.cmd = [normalize_to_list_of_substitutions(part) for part in cmd]
        default = LaunchConfiguration('launch-prefix', default='')
        self.prefix = normalize_to_list_of_substitutions(default if prefix is None else prefix)
        self.prefix_filter = [LaunchConfiguration('launch-prefix-filter', default='')] if prefix is None else None
        self.name = _optional(name)
        self.cwd = _optional(cwd)
        self.env = _pairs(env)
        self.additional_env = _pairs(additional_env)
        self.final_name = ''
        self.final_cmd: list[str] = []
        self.final_cwd: str | None = None
        self.final_env: dict[str, str] = {}

    def prepare(self, context: LaunchContext, action: Action, extra: Iterable[str] = ()) -> None:
        """Find all values now; ``extra`` are further words of the command."""
        command = [perform_substitutions(context, part) for part in self.cmd] + list(extra)
        name = os.path.basename(command[0]) if self.name is None else perform_substitutions(context, self.name)
        context.process_count += 1
        self.final_name = f'{name}-{context.process_count}'
        self.final_cmd = self._final_prefix(context, command) + command
        self.final_cwd = None if self.cwd is None else perform_substitutions(context, self.cwd)
        self.final_env = self._final_environment(context)

    def _final_prefix(self, context: LaunchContext, command: list[str]) -> list[str]:
        prefix = shlex.split(perform_substitutions(context, self.prefix))
        pattern = '' if self.prefix_filter is None else perform_substitutions(context, self.prefix_filter)
        return prefix if not pattern or re.match(pattern, os.path.basename(command[0])) else []

    def _final_environment(self, context: LaunchContext) -> dict[str, str]:
        environment = dict(context.environment) if self.env is None else {}
        for name, value in (self.env or []) + (self.additional_env or []):
            environment[perform_substitutions(context, name)] = perform_substitutions(context, value)
        return environment
