"""The substitutions ``$(name arguments)`` in the text of a parameter file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from launch.launch_context import LaunchContext
from launch.substitution import Substitution
from launch.substitutions import (
    Command,
    EnvironmentVariable,
    FindExecutable,
    LaunchConfiguration,
    PythonExpression,
    SubstitutionFailure,
    ThisLaunchFileDir,
)

from .substitutions import FindPackagePrefix, FindPackageShare

INNERMOST = re.compile(r'\$\(([\w-]+)([^()$]*)\)')
KINDS: dict[str, Callable[..., Substitution]] = {
    'var': lambda name, default=None: LaunchConfiguration(name, default=default),
    'env': lambda name, default=None: EnvironmentVariable(name, default_value=default),
    'find-pkg-share': FindPackageShare,
    'find-pkg-prefix': FindPackagePrefix,
    'find-exec': lambda name: FindExecutable(name=name),
    'eval': lambda *words: PythonExpression(' '.join(words)),
    'command': lambda *words: Command(' '.join(words)),
    'dirname': ThisLaunchFileDir,
}


def substitute_text(context: LaunchContext, text: str) -> str:
    """Return the text with its substitutions performed, the inner ones first."""

    def perform(match: re.Match[str]) -> str:
        kind, words = match[1], shlex.split(match[2])
        if kind not in KINDS:
            raise SubstitutionFailure(f'no substitution $({kind} ...); there are: {", ".join(KINDS)}')
        try:
            return context.perform_substitution(KINDS[kind](*words))
        except TypeError:
            raise SubstitutionFailure(f'substitution {match[0]} has the wrong number of arguments') from None

    count = 1
    while count:
        text, count = INNERMOST.subn(perform, text)
    return text
