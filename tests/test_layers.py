"""The house keeps its shape: layers, doors, no import cycles. Imports inside functions count too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / 'ros_ws' / 'src' / 'loom' / 'loom'
LAYERS = (('core',), ('sense', 'memory', 'guard', 'sim', 'supervise'), ('reason', 'act'), ('agents', 'learn'),
          ('observe',), ('ros', 'dds'), ('nodes',), ('cli',))
RANK = {folder: rank for rank, layer in enumerate(LAYERS) for folder in layer}
ROS = ('rclpy', 'builtin_interfaces', 'rcl_interfaces', 'simulation_interfaces')
# Library -> where it comes in; of a place that ends with '/', any file below it.
DOORS = {
    **dict.fromkeys(ROS, ('ros/', 'nodes/')), 'cv2': ('sense/camera.py', 'sense/pictures.py'), 'mujoco': ('sim/',),
    'torch': ('learn/',), 'ray': ('learn/',), 'onnx': ('learn/',), 'typer': ('cli/',), 'rich': ('cli/',),
    'aiohttp': ('sense/',), 'opentelemetry': ('observe/otlp.py',),
}
ONE_FILE = ('onnxruntime', 'pyaudio', 'pocketsphinx', 'rapidocr', 'aiohttp', 'sqlite3', 'usearch', 'cyclonedds',
            'wasmtime', 'mcp', 'nicegui', 'jsonschema', 'redis', 'psycopg', 'tokenizers')

FILES = sorted(p for p in PACKAGE.rglob('*.py') if p != PACKAGE / '__init__.py')


@cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    """(line, full name) of all that a file imports."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f'{path}:{node.lineno}: imports are absolute'
            yield from ((node.lineno, f'{node.module}.{alias.name}') for alias in node.names)


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def violations() -> Iterator[str]:
    """One line for each import that a layer or a door forbids."""
    for path in FILES:
        folder = place(path).split('/')[0]
        for line, name in imports(path):
            top, *rest = name.split('.')
            where = f'{place(path)}:{line}'
            if top == 'loom' and rest and rest[0] in RANK and rest[0] != folder and RANK[rest[0]] >= RANK[folder]:
                yield f'layers: {where}: {folder}/ must not import {rest[0]}/ ({name})'
            doors = DOORS.get('rclpy' if top.endswith('_msgs') else top, ('',))
            if not any(place(path).startswith(door) for door in doors):
                yield f'doors: {where}: {top} comes in through {" or ".join(doors)} only'


def test_layers_and_doors() -> None:
    found = list(violations())
    assert not found, '\n' + '\n'.join(found)


def test_each_library_has_one_door() -> None:
    doors = {library: sorted({place(p) for p in FILES for _, name in imports(p) if name.split('.')[0] == library})
             for library in ONE_FILE}
    wrong = [f'doors: {library} comes in through one file, got {files}' for library, files in doors.items()
             if len(files) > 1]
    assert not wrong, '\n' + '\n'.join(wrong)


def test_every_folder_has_a_layer() -> None:
    folders = {p.name for p in PACKAGE.iterdir() if (p / '__init__.py').is_file()}
    assert folders == set(RANK), f'without a layer: {folders - set(RANK)}; without a folder: {set(RANK) - folders}'


def module_of(path: Path) -> str:
    return 'loom.' + place(path).removesuffix('.py').replace('/', '.').removesuffix('.__init__')


def test_no_import_cycles() -> None:
    modules = {module_of(p) for p in FILES}
    graph = {module_of(p): {m for _, name in imports(p) for m in (name, name.rpartition('.')[0]) if m in modules}
             - {module_of(p)} for p in FILES}
    while leaves := [module for module, needed in graph.items() if not needed & graph.keys()]:
        for module in leaves:
            del graph[module]
    assert not graph, 'these modules import each other, or need ones that do: ' + ', '.join(sorted(graph))
