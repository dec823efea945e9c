"""The rules of style that a linter does not know; each violation is printed as `file:line: what is wrong`."""

from __future__ import annotations

import ast
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / 'ros_ws' / 'src' / 'loom'
PACKAGE = SOURCE / 'loom'
NODES = PACKAGE / 'nodes'
UNDERLAY = ROOT / 'ros_ws' / 'underlay'
MESSAGES = sorted(p for kind in ('msg', 'srv', 'action') for p in (ROOT / 'loom_msgs' / kind).iterdir())
LOOM = sorted(PACKAGE.rglob('*.py'))
LAUNCH = sorted((ROOT / 'launch').glob('*.py'))
EVERY = sorted({*LOOM, *LAUNCH, *(ROOT / 'tests').rglob('*.py'), *UNDERLAY.rglob('*.py')})

MAX_LINES, MAX_NODE_LINES, MAX_LAUNCH_LINES, MAX_FUNCTION_LINES = 300, 80, 60, 50
VAGUE = re.compile(r'(^|_)(utils?|helpers?|common|managers?|misc)(_|$)')
VAGUE_CLASS = re.compile(r'(Utils?|Helpers?|Common|Managers?)$')
PRINTS = ('cli/', 'ros/process.py', 'nodes/container.py', 'nodes/keeper.py')
CLOCKS = {'time.time', 'time.time_ns', 'datetime.now', 'datetime.utcnow', 'datetime.datetime.now'}
ABSOLUTE = re.compile(r'/[a-z][a-z0-9_]*(/[a-z0-9_]+)*\Z')
SYSTEM_FOLDERS = ('/dev', '/proc', '/sys', '/tmp', '/etc', '/usr', '/run', '/var', '/nonexistent')
# Every ROS tool reads this one by its absolute name.
NAMED_EXCEPTION = ('ros/diagnostics.py', '/diagnostics')
TOP_FILES = {'README.md', 'ARCHITECTURE.md', 'LICENSE', 'Makefile', '.gitignore', '.gitattributes'}
TOP_FOLDERS = {'loom_msgs', 'ros_ws', 'launch', 'config', 'models', 'sim', 'tests', '.ci'}
SPDX = {'Apache-2.0'}
E_MAIL = re.compile(r'[a-z0-9._+-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}\Z')


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def nodes_of(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(tree_of(path))


def at(path: Path, line: int = 1) -> str:
    return f'{path.relative_to(ROOT)}:{line}'


def inside(path: Path) -> str:
    """Place of a file in the package; empty for others."""
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else ''


def lengths() -> Iterator[str]:
    """Files: 300 lines at most, nodes 80, launch files 60 of code."""
    for path in EVERY:
        lines = path.read_text().splitlines()
        if path in LAUNCH:
            lines = [line for line in lines if line.strip() and not line.strip().startswith('#')]
        limit = MAX_LAUNCH_LINES if path in LAUNCH else MAX_NODE_LINES if path.parent == NODES else MAX_LINES
        if len(lines) > limit:
            yield f'{at(path)}: must have at most {limit} lines, has {len(lines)}'


def function_lengths() -> Iterator[str]:
    """Functions: 50 lines at most."""
    for path in EVERY:
        for node in nodes_of(path):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    yield f'{at(path, node.lineno)}: {node.name} has {length} lines, at most {MAX_FUNCTION_LINES}'


def vague_names() -> Iterator[str]:
    """A name says what the thing is."""
    for path in (p for p in EVERY if UNDERLAY not in p.parents):
        if VAGUE.search(path.stem) or VAGUE.search(path.parent.name):
            yield f'{at(path)}: a file or folder must not be called {path.stem}'
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name):
                yield f'{at(path, node.lineno)}: class {node.name} does not say what it is'


def docstrings() -> Iterator[str]:
    """Every module, public class and public function says what it is for."""
    for path in [*LOOM, *LAUNCH]:
        for owner, line, name in undocumented(tree_of(path)):
            yield f'{at(path, line)}: {owner}{name} has no docstring'


def undocumented(node: ast.Module | ast.ClassDef, owner: str = '') -> Iterator[tuple[str, int, str]]:
    if not ast.get_docstring(node):
        yield owner, getattr(node, 'lineno', 1), getattr(node, 'name', 'the module')
    for child in node.body:
        if getattr(child, 'name', '_').startswith('_'):
            continue
        if isinstance(child, ast.ClassDef):
            yield from undocumented(child, f'{child.name}.')
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and not ast.get_docstring(child):
            yield owner, child.lineno, child.name


def prints() -> Iterator[str]:
    """Programs log; only the command line prints."""
    for path in (p for p in LOOM if not inside(p).startswith(PRINTS)):
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == 'print':
                yield f'{at(path, node.lineno)}: print'


def clocks() -> Iterator[str]:
    """Time comes from the injected clock."""
    for path in (p for p in LOOM if inside(p) != 'core/clock.py'):
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCKS:
                yield f'{at(path, node.lineno)}: {ast.unparse(node.func)}(); take a Clock'


def absolute_names() -> Iterator[str]:
    """ROS names are relative, so that a namespace works."""
    for path in LOOM:
        texts = {id(part) for node in nodes_of(path) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes_of(path):
            value = node.value if isinstance(node, ast.Constant) and id(node) not in texts else None
            if isinstance(value, str) and ABSOLUTE.match(value) and not value.startswith(SYSTEM_FOLDERS) \
                    and (inside(path), value) != NAMED_EXCEPTION:
                yield f'{at(path, node.lineno)}: {value!r} begins with a slash'


def leftovers() -> Iterator[str]:
    """Nothing is left to do, and no machine is named."""
    words = re.compile(r'\b(TO' + r'DO|FIX' + r'ME|XX' + r'X)\b|/wo' + r'rk/|/ro' + r'ot/|/tmp/lo' + r'om')
    for path in [*EVERY, *MESSAGES, *(ROOT / 'config').rglob('*.yaml'), *ROOT.glob('*.md'), ROOT / 'Makefile']:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if found := words.search(line):
                yield f'{at(path, number)}: {found.group()}'


def message_files() -> Iterator[str]:
    """Interfaces open with a comment block, explain each field, and results end with the error."""
    for path in MESSAGES:
        lines = path.read_text().splitlines()
        if not lines[0].startswith('# '):
            yield f'{at(path)}: must open with a comment that says what it is'
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith(('#', '---')) and '=' not in line.split('#')[0] and '#' not in line:
                yield f'{at(path, number)}: {line.strip()!r} has no comment with meaning and unit'
        parts = path.read_text().split('---')
        if len(parts) > 1:
            names = [' '.join(row.split()[:2]) for row in parts[1].strip().splitlines() if not row.startswith('#')]
            if names[-2:] != ['uint16 error_code', 'string error_msg']:
                yield f'{at(path)}: the result must end with uint16 error_code, string error_msg, got {names[-2:]}'


def node_names() -> Iterator[str]:
    """File, class, node, executable and YAML key have one name."""
    plan = yaml.safe_load((ROOT / 'config' / 'processes.yaml').read_text())
    settings = ROOT / 'config' / 'loom.yaml'
    programs = {p.stem: p for p in NODES.glob('[a-z]*.py') if p.stem not in ('container', 'keeper')}
    for name, path in programs.items():
        classes = [n.name for n in tree_of(path).body if isinstance(n, ast.ClassDef)
                   and any(ast.unparse(base) == 'LoomNode' for base in n.bases)]
        if [re.sub(r'(?<!^)(?=[A-Z])', '_', c).lower() for c in classes] != [name]:
            yield f'{at(path)}: must hold one LoomNode whose name in snake case is {name}, got {classes}'
        if not any(isinstance(n, ast.FunctionDef) and n.name == 'main' for n in tree_of(path).body):
            yield f'{at(path)}: the executable needs main()'
    for name in sorted({*plan['order'], *(n for nodes in plan['few'].values() for n in nodes)} - set(programs)):
        yield f'config/processes.yaml:1: no nodes/{name}.py'
    keys = yaml.safe_load(settings.read_text()) if settings.is_file() else {}
    for key in sorted({k.strip('/*') for k in keys} - {''} - set(programs)):
        yield f'config/loom.yaml:1: {key} is no node'


def package_files() -> Iterator[str]:
    """package.xml: format 3, SPDX licence, an address that colcon accepts."""
    for path in (ROOT / 'loom_msgs' / 'package.xml', SOURCE / 'package.xml'):
        package = ET.parse(path).getroot()
        if package.get('format') != '3':
            yield f'{at(path)}: format must be 3'
        yield from (f'{at(path)}: {e.text!r} is no SPDX licence of this project' for e in package.iter('license')
                    if e.text not in SPDX)
        addresses = [e.get('email') or '' for e in package.iter('maintainer')]
        if not addresses or not all(E_MAIL.match(a) for a in addresses):
            yield f'{at(path)}: a maintainer needs a valid e-mail address, got {addresses}'


def colcon_sees() -> Iterator[str]:
    """colcon sees both packages as what they are."""
    listing = ['colcon', '--log-base', '/dev/null', 'list', '--base-paths', 'ros_ws/src']
    rows = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    kinds = {row.split()[0]: row.split()[-1] for row in rows}
    if kinds != {'loom': '(ros.ament_python)', 'loom_msgs': '(ros.ament_cmake)'}:
        yield f'ros_ws/src:1: colcon list says {kinds}'


def top_level() -> Iterator[str]:
    """The top of the repository holds what the plan names and nothing else; the documents are true."""
    tracked = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    top = {name.split('/')[0] for name in tracked.split('\0') if name and (ROOT / name).exists()}
    for name in sorted(top - TOP_FILES - TOP_FOLDERS):
        yield f'{name}:1: nothing else belongs at the top'
    plan = (ROOT / 'ARCHITECTURE.md').read_text() if (ROOT / 'ARCHITECTURE.md').is_file() else ''
    folders = {p.parent.name for p in PACKAGE.glob('*/__init__.py')}
    for name in sorted((top & TOP_FOLDERS - {'.ci'}) | folders):
        if f'{name}/' not in plan:
            yield f'ARCHITECTURE.md:1: does not name {name}/'
    readme = (ROOT / 'README.md').read_text() if (ROOT / 'README.md').is_file() else ''
    yield from (f'README.md:1: does not name `{command}`' for command in ('make bringup', 'make test')
                if command not in readme)


RULES = [lengths, function_lengths, vague_names, docstrings, prints, clocks, absolute_names, leftovers, message_files,
         node_names, package_files, colcon_sees, top_level]


@pytest.mark.parametrize('rule', RULES, ids=lambda rule: rule.__name__)
def test_style(rule: Callable[[], Iterator[str]]) -> None:
    found = list(rule())
    assert not found, f'{rule.__doc__}\n' + '\n'.join(found)
