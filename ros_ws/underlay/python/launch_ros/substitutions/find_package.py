"""Where a package is installed."""

from __future__ import annotations

import os
from difflib import get_close_matches

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_packages_with_prefixes
from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions


def find_prefix(package: str) -> str:
    """Return the prefix of a package; SubstitutionFailure with the nearest name if there is none."""
    try:
        return str(get_package_prefix(package))
    except (PackageNotFoundError, ValueError):
        near = get_close_matches(package, get_packages_with_prefixes(), n=1)
        hint = f'did you mean {near[0]!r}?' if near else 'is its workspace sourced?'
        raise SubstitutionFailure(f'no package named {package!r}; {hint}') from None


class FindPackage(Substitution):
    """Finds a package in the ament index."""

    def __init__(self, package: SomeSubstitutionsType) -> None:
        """Keep the name of the package."""
        self.__package = normalize_to_list_of_substitutions(package)

    @property
    def package(self) -> list[Substitution]:
        """The name of the package."""
        return self.__package

    def describe(self) -> str:
        """Return the constructor call."""
        return f'{type(self).__name__}(pkg={" + ".join(each.describe() for each in self.__package)})'

    def find(self, package_name: str) -> str:
        """Return the prefix of the package."""
        return find_prefix(package_name)

    def perform(self, context: LaunchContext) -> str:
        """Return the path; SubstitutionFailure if there is no such package."""
        return self.find(perform_substitutions(context, self.__package))


class FindPackagePrefix(FindPackage):
    """Gives the install prefix of a package."""


class FindPackageShare(FindPackage):
    """Gives the share folder of a package."""

    def find(self, package_name: str) -> str:
        """Return the share folder of the package."""
        return os.path.join(find_prefix(package_name), 'share', package_name)
