"""``ros2 interface``: show and list."""

import argparse
import re
import sys
from pathlib import Path

from ament_index_python import get_package_share_directory, get_resource, get_resources

from ros2cli_standin.command import CommandError, Verbs, dispatch

KINDS = {'msg': 'Messages', 'srv': 'Services', 'action': 'Actions'}
PRIMITIVES = {
    'bool', 'byte', 'char', 'float32', 'float64', 'string', 'wstring',
    'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64',
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``ros2 interface``."""
    verbs = Verbs(parser)
    show = verbs.add('show', run_show, 'Print the definition of a message, service or action.')
    show.add_argument('type', help='package/msg/Name, package/srv/Name, package/action/Name, or - for stdin')
    group = show.add_mutually_exclusive_group()
    group.add_argument('--all-comments', action='store_true', help='also those of nested types')
    group.add_argument('--no-comments', action='store_true', help='no comments and no empty lines')
    listing = verbs.add('list', run_list, 'Print the names of all interfaces.')
    listing.add_argument('-m', '--only-msgs', action='store_true', help='only messages')
    listing.add_argument('-s', '--only-srvs', action='store_true', help='only services')
    listing.add_argument('-a', '--only-actions', action='store_true', help='only actions')


def main(args: argparse.Namespace) -> int:
    """Run the chosen sub-verb."""
    return dispatch(args)


def interfaces() -> dict[str, list[str]]:
    """Return the full names of all installed interfaces by kind (msg, srv, action), sorted."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for package in get_resources('rosidl_interfaces'):
        for line in get_resource('rosidl_interfaces', package)[0].splitlines():
            path = Path(line.strip())
            if path.parent.name in found and path.suffix in ('.msg', '.srv', '.action', '.idl'):
                found[path.parent.name].add(f'{package}/{path.parent.name}/{path.stem}')
    return {kind: sorted(names) for kind, names in found.items()}


def run_list(args: argparse.Namespace) -> int:
    """Print the interfaces by kind."""
    chosen = {'msg': args.only_msgs, 'srv': args.only_srvs, 'action': args.only_actions}
    for kind, names in interfaces().items():
        if chosen[kind] or not any(chosen.values()):
            print(f'{KINDS[kind]}:')
            for name in names:
                print(f'    {name}')
    return 0


def definition(name: str) -> str:
    """Return the text of the file of package/kind/Name; raises CommandError."""
    parts = name.split('/')
    if len(parts) != 3 or parts[1] not in KINDS:
        raise CommandError(f'{name!r} is not an interface: expected package/msg/Name, or srv or action for msg')
    package, kind, stem = parts
    try:
        folder = Path(get_package_share_directory(package)) / kind
    except LookupError as error:
        raise CommandError(f"Unknown package '{package}'") from error
    for suffix in (kind, 'idl'):
        path = folder / f'{stem}.{suffix}'
        if path.is_file():
            return path.read_text(encoding='utf-8')
    raise CommandError(f"Could not find the interface '{name}'")


def nested(line: str, package: str) -> str | None:
    """Return the full name of the message type that the line's field has, None for other lines."""
    kind = re.match(r'([A-Za-z][\w/]*)(?:<=\d+)?(?:\[[<=\d]*\])?\s+[A-Za-z]\w*', line.strip())
    if kind is None or kind[1] in PRIMITIVES:
        return None
    parts = kind[1].split('/')
    if len(parts) == 1:
        return 'std_msgs/msg/Header' if parts[0] == 'Header' else f'{package}/msg/{parts[0]}'
    return f'{parts[0]}/msg/{parts[-1]}'


def without_comment(line: str) -> str:
    """Return the line without its comment; a # inside quotes stays."""
    quote = ''
    for index, char in enumerate(line):
        if quote:
            quote = '' if char == quote else quote
        elif char in '"\'':
            quote = char
        elif char == '#':
            return line[:index].rstrip()
    return line.rstrip()


def lines(text: str, package: str, depth: int, comments: bool, nested_comments: bool) -> list[str]:
    """Return the lines of a definition, each field followed by those of its type, one tab further in."""
    shown = []
    for line in text.splitlines():
        kept = line.rstrip() if comments else without_comment(line)
        if kept or comments:
            shown.append('\t' * depth + kept)
        if kind := nested(without_comment(line), package):
            inner = definition(kind)
            shown += lines(inner, kind.split('/')[0], depth + 1, nested_comments, nested_comments)
    return shown


def run_show(args: argparse.Namespace) -> int:
    """Print one definition with its nested types."""
    name = sys.stdin.readline().strip() if args.type == '-' else args.type
    text = definition(name)
    print('\n'.join(lines(text, name.split('/')[0], 0, not args.no_comments, args.all_comments)))
    return 0
