"""``ros2 VERB ...``: find the module of the verb, load only that one, and run it."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

VERBS = {
    'action': 'List actions and send goals.',
    'interface': 'Show and list messages, services and actions.',
    'launch': 'Run a launch file.',
    'lifecycle': 'List, query and change lifecycle nodes.',
    'node': 'List and describe nodes.',
    'param': 'List, get, set and dump parameters.',
    'pkg': 'List packages, their prefixes and executables.',
    'run': 'Run an executable of a package.',
    'service': 'List and call services.',
    'topic': 'List, describe, echo, measure and publish topics.',
}


def usage() -> str:
    """Return the help text with one line for each verb."""
    lines = [f'  {verb:<11}{text}' for verb, text in VERBS.items()]
    return '\n'.join(
        ['usage: ros2 VERB ...', '', 'verbs:', *lines, '', 'Call `ros2 VERB -h` for the arguments of a verb.']
    )


def fail(text: str) -> int:
    """Write one line of error and return the exit code for bad arguments."""
    print(text, file=sys.stderr)
    return 1


def unknown(verb: str) -> str:
    """Say that there is no such verb, and which ones are near."""
    near = get_close_matches(verb, VERBS, n=1)
    hint = f'did you mean {near[0]!r}?' if near else f'there are: {", ".join(VERBS)}'
    return f'ros2: no verb named {verb!r}; {hint}'


def run_verb(verb: str, arguments: Sequence[str]) -> int:
    """Load the module of the verb, let it read its arguments, and run it; returns the exit code."""
    module = importlib.import_module(f'ros2cli_standin.{verb}')
    parser = argparse.ArgumentParser(prog=f'ros2 {verb}', description=VERBS[verb])
    module.add_arguments(parser)
    parse = parser.parse_intermixed_args if getattr(module, 'INTERMIXED', False) else parser.parse_args
    code = module.main(parse(arguments))
    sys.stdout.flush()
    return int(code or 0)


def leave_broken_pipe() -> int:
    """Point stdout at nothing when its reader has gone, so that the exit is silent."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``ros2`` with the arguments (those of the process by default); returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ('-h', '--help'):
        print(usage())
        return 0
    if words[0] not in VERBS:
        return fail(unknown(words[0]))
    try:
        return run_verb(words[0], words[1:])
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return leave_broken_pipe()


if __name__ == '__main__':
    sys.exit(main())
