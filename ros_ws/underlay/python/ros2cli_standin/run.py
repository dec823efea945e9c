"""``ros2 run``: become an executable of a package."""

from __future__ import annotations

import argparse
import os
import shlex
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``ros2 run`` takes."""
    parser.add_argument('--prefix', default='', help='a command that runs the executable, such as a debugger')
    parser.add_argument('package', help='the name of the package')
    parser.add_argument('executable', help='the name of the executable')
    parser.add_argument('arguments', nargs=argparse.REMAINDER, help='passed on to the executable')


def main(args: argparse.Namespace) -> int:
    """Replace this process by the executable; returns 1 with one line of error if that is impossible."""
    from launch.errors import LaunchError
    from launch_ros.substitutions.executable_in_package import find_executable

    try:
        command = [*shlex.split(args.prefix), find_executable(args.package, args.executable), *args.arguments]
        os.execvp(command[0], command)
    except (LaunchError, OSError) as error:
        print(f'ros2 run: {error}', file=sys.stderr)
    return 1
