"""``ros2 launch``: run a launch file of a package, or one given by its path."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext
    from launch.launch_description_entity import LaunchDescriptionEntity

INTERMIXED = True
ALWAYS_KNOWN = {
    'emulate_tty',
    'sigterm_timeout',
    'sigkill_timeout',
    'launch-prefix',
    'launch-prefix-filter',
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``ros2 launch`` takes."""
    parser.usage = 'ros2 launch [-h] [-n] [-d] [-p | -s] [-a] PACKAGE FILE [NAME:=VALUE ...]'
    parser.add_argument('words', nargs='+', metavar='PACKAGE FILE | PATH', help='the launch file, then arguments')
    parser.add_argument('-n', '--noninteractive', action='store_true', help='accepted; makes no difference here')
    parser.add_argument('-d', '--debug', action='store_true', help='show tracebacks')
    parser.add_argument('-p', '--print', '--print-description', action='store_true', help='print what would be done')
    parser.add_argument('-s', '--show-args', '--show-arguments', action='store_true', help='print the arguments')
    parser.add_argument('-a', '--show-all-subprocesses-output', action='store_true', help='all output to the screen')
    parser.add_argument('--launch-prefix', help='a command that runs each process, such as a debugger')
    parser.add_argument('--launch-prefix-filter', help='a regular expression for the processes that get the prefix')


def find_in_package(package: str, file_name: str) -> str:
    """Return the path of a launch file below the share folder of a package; LaunchError if there is not just one."""
    from launch.errors import LaunchError
    from launch_ros.substitutions.find_package import find_prefix

    share = os.path.join(find_prefix(package), 'share', package)
    found: list[str] = []
    near: set[str] = set()
    for root, _, files in os.walk(share, followlinks=True):
        found += [os.path.join(root, name) for name in files if name == file_name]
        near |= {name for name in files if 'launch' in name and name.endswith('.py')}
    if len(found) == 1:
        return found[0]
    if found:
        raise LaunchError(f'package {package!r} has several files {file_name!r}; give one path of: {", ".join(found)}')
    raise LaunchError(f'package {package!r} has no launch file {file_name!r}; {nearest(file_name, near)}')


def nearest(name: str, names: set[str]) -> str:
    """Return a hint at the nearest name, or at all of them."""
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1)
    return f'did you mean {near[0]!r}?' if near else f'there are: {", ".join(sorted(names)) or "none"}'


def locate(words: list[str]) -> tuple[str, list[str]]:
    """Return the path of the launch file and the words that follow."""
    from launch.errors import LaunchError

    if os.path.isfile(words[0]):
        return os.path.abspath(words[0]), words[1:]
    if len(words) < 2 or ':=' in words[1]:
        raise LaunchError(f'there is no launch file {words[0]!r}; give PACKAGE FILE or the path of a file')
    return find_in_package(words[0], words[1]), words[2:]


def parse_launch_arguments(words: list[str]) -> dict[str, str]:
    """Return names and values; LaunchError for what is not NAME:=VALUE."""
    from launch.errors import LaunchError

    pairs = {}
    for word in words:
        name, sign, value = word.partition(':=')
        if not sign or not name:
            raise LaunchError(f'a launch argument must be NAME:=VALUE, got {word!r}')
        pairs[name] = value
    return pairs


def refuse_unknown(context: LaunchContext, given: dict[str, str]) -> None:
    """Raise LaunchError for an argument that nothing has declared or read."""
    from launch.errors import LaunchError

    known = context.known_configurations - ALWAYS_KNOWN
    for name in given:
        if name not in known | ALWAYS_KNOWN:
            hint = nearest(name, known)
            raise LaunchError(f'no launch argument named {name!r}; {hint} (--show-args lists them)')


def describe(entity: LaunchDescriptionEntity, depth: int = 0) -> str:
    """Return an entity and what it consists of as an indented tree."""
    lines = ['    ' * depth + entity.describe()]
    lines += [describe(each, depth + 1) for each in entity.describe_sub_entities()]
    for condition, entities in entity.describe_conditional_sub_entities():
        lines.append('    ' * (depth + 1) + f'if {condition}:')
        lines += [describe(each, depth + 2) for each in entities]
    return '\n'.join(lines)


def describe_arguments(description: Any) -> str:
    """Return the arguments with descriptions, choices and defaults."""
    arguments = description.get_launch_arguments()
    if not arguments:
        return "Arguments (pass arguments as '<name>:=<value>'):\n\n  No arguments."
    lines = ["Arguments (pass arguments as '<name>:=<value>'):"]
    for argument in arguments:
        mark = '*' if argument.conditionally_included else ''
        lines += ['', f"    '{argument.name}':{mark}", f'        {argument.description}']
        if argument.default_value is not None:
            default = ' + '.join(token.describe() for token in argument.default_value)
            lines.append(f'        (default: {default})')
    if any(argument.conditionally_included for argument in arguments):
        lines += ['', '* argument(s) which are only used if specific conditions occur']
    return '\n'.join(lines)


def announce_log() -> None:
    """Say where the log files are; a folder that can't be made is told and no reason to stop."""
    from launch.logging import get_logger, launch_config

    try:
        get_logger().info(f'All log files can be found below {launch_config.log_dir}')
    except OSError as error:
        launch_config.files.give_up(error)


def run(path: str, given: dict[str, str], args: argparse.Namespace) -> int:
    """Run a launch file until everything has ended; returns the exit code."""
    import launch
    from launch.actions import IncludeLaunchDescription, OpaqueFunction
    from launch.launch_description_sources import AnyLaunchDescriptionSource

    if args.show_all_subprocesses_output:
        os.environ['OVERRIDE_LAUNCH_PROCESS_OUTPUT'] = 'both'
    service = launch.LaunchService(argv=sys.argv[1:], noninteractive=args.noninteractive, debug=args.debug)
    for name in ('launch-prefix', 'launch-prefix-filter'):
        value = getattr(args, name.replace('-', '_'))
        if value is not None:
            service.context.launch_configurations[name] = value
    include = IncludeLaunchDescription(AnyLaunchDescriptionSource(path), launch_arguments=given.items())
    check = OpaqueFunction(function=refuse_unknown, args=[given])
    announce_log()
    service.include_launch_description(launch.LaunchDescription([include, check]))
    return service.run()


def main(args: argparse.Namespace) -> int:
    """Do what was asked for; returns 0, or 1 with one line of error."""
    from launch.errors import LaunchError
    from launch.launch_description_sources import AnyLaunchDescriptionSource

    try:
        path, words = locate(args.words)
        given = parse_launch_arguments(words)
        if not (args.show_args or args.print):
            return run(path, given, args)
        description = AnyLaunchDescriptionSource(path)._get_launch_description(path)
    except LaunchError as error:
        print(f'ros2 launch: {error}', file=sys.stderr)
        return 1
    print(describe_arguments(description) if args.show_args else describe(description))
    return 0
