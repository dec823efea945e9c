"""``ros2 pkg``: packages, where they are and what can be run."""

from __future__ import annotations

import argparse
import os
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``ros2 pkg`` takes."""
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    verbs.add_parser('list', help='print the names of all packages')
    prefix = verbs.add_parser('prefix', help='print where a package is installed')
    prefix.add_argument('package')
    prefix.add_argument('--share', action='store_true', help='print its share folder')
    executables = verbs.add_parser('executables', help='print packages and their executables')
    executables.add_argument('package', nargs='?')
    executables.add_argument('--full-path', action='store_true', help='print paths')


def list_packages(args: argparse.Namespace) -> list[str]:
    """Return the names of all packages."""
    from ament_index_python.packages import get_packages_with_prefixes

    return sorted(get_packages_with_prefixes())


def find_prefix(args: argparse.Namespace) -> list[str]:
    """Return the prefix or the share folder of a package."""
    from launch_ros.substitutions import find_package

    prefix = find_package.find_prefix(args.package)
    return [os.path.join(prefix, 'share', args.package) if args.share else prefix]


def list_executables(args: argparse.Namespace) -> list[str]:
    """Return the executables of one package or of all."""
    from launch_ros.substitutions.executable_in_package import executables_of

    packages = [args.package] if args.package else list_packages(args)
    pairs = [(package, name, path) for package in packages for name, path in sorted(executables_of(package).items())]
    return [path if args.full_path else f'{package} {name}' for package, name, path in pairs]


VERBS = {'list': list_packages, 'prefix': find_prefix, 'executables': list_executables}


def main(args: argparse.Namespace) -> int:
    """Print what was asked for; returns 1 with one line of error if there is no such package."""
    from launch.errors import LaunchError

    try:
        lines = VERBS[args.verb](args)
    except LaunchError as error:
        print(f'ros2 pkg: {error}', file=sys.stderr)
        return 1
    print(*lines, sep='\n')
    return 0
