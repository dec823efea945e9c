"""The path of a package's executable."""

from __future__ import annotations

import os
from difflib import get_close_matches

from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from .find_package import FindPackagePrefix, find_prefix


def executables_of(package: str) -> dict[str, str]:
    """Return the paths of a package's executables by their names; SubstitutionFailure if there is no package."""
    folder = os.path.join(find_prefix(package), 'lib', package)
    found: dict[str, str] = {}
    for root, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(each for each in folders if not each.startswith('.'))
        for name in sorted(files):
            path = os.path.join(root, name)
            if os.access(path, os.X_OK):
                found.setdefault(name, path)
    return found


def find_executable(package: str, executable: str) -> str:
    """Return the path of an executable; SubstitutionFailure with the nearest name if there is none."""
    found = executables_of(package)
    if executable in found:
        return found[executable]
    near = get_close_matches(executable, found, n=1)
    names = ', '.join(found) or 'none'
    hint = f'did you mean {near[0]!r}?' if near else f'there are: {names}'
    raise SubstitutionFailure(f'package {package!r} has no executable {executable!r}; {hint}')


class ExecutableInPackage(FindPackagePrefix):
    """Gives the path of an executable in ``lib/<package>``."""

    def __init__(self, executable: SomeSubstitutionsType, package: SomeSubstitutionsType) -> None:
        """Keep the names of the executable and of its package."""
        super().__init__(package)
        self.__executable = normalize_to_list_of_substitutions(executable)

    @property
    def executable(self) -> list[Substitution]:
        """The name of the executable."""
        return self.__executable

    def describe(self) -> str:
        """Return the constructor call."""
        package, executable = (' + '.join(e.describe() for e in x) for x in (self.package, self.__executable))
        return f'ExecInPkg(pkg={package}, exec={executable})'

    def perform(self, context: LaunchContext) -> str:
        """Return the path; SubstitutionFailure if there is no such package or executable."""
        return find_executable(
            perform_substitutions(context, self.package), perform_substitutions(context, self.__executable)
        )
