"""What the verbs share: errors for people, and running the chosen sub-verb."""

import argparse
import sys
from collections.abc import Callable

Run = Callable[[argparse.Namespace], int]


class CommandError(Exception):
    """The command cannot go on; the text is for the person who typed it."""


class Verbs:
    """The sub-verbs of one verb; each is a function with arguments."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._verbs = parser.add_subparsers(metavar='VERB', required=True)

    def add(self, name: str, run: Run, text: str) -> argparse.ArgumentParser:
        """Add a sub-verb and return its parser, for the arguments."""
        parser: argparse.ArgumentParser = self._verbs.add_parser(name, help=text, description=text)
        parser.set_defaults(run=run)
        return parser


def dispatch(args: argparse.Namespace) -> int:
    """Run the chosen sub-verb; a CommandError becomes its text on stderr and exit code 1."""
    try:
        return int(args.run(args))
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1


def positive_float(text: str) -> float:
    """Read a number above 0 (for argparse)."""
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f'must be above 0, got {text}')
    return value


def positive_int(text: str) -> int:
    """Read a whole number above 0 (for argparse)."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'must be above 0, got {text}')
    return value
