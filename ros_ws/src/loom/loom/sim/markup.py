"""XML of worlds and robots, read safely: no entities, no document types, numbers checked."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from loom.core.errors import ConfigError
from loom.sim.pose import Pose, Vector

MAX_BYTES = 4_000_000

Element = ElementTree.Element


def read_text(path: Path) -> str:
    """The file's text; ConfigError where it is missing, too long, or not UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f'a world or robot file must be readable, got {str(path)!r} '
                          f'({error.strerror}); give the path of a file that exists') from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f'{path.name} must be at most {MAX_BYTES} bytes, got {len(raw)}; split it')
    try:
        return raw.decode('utf-8')
    except UnicodeDecodeError as error:
        raise ConfigError(f'{path.name} must be UTF-8, got a bad byte at {error.start}; save it as UTF-8') from None


def parse(text: str, source: str, root: str) -> Element:
    """The root element, which must be `root`; document types and entities are refused."""
    _refuse_declarations(text, source)
    try:
        element = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise ConfigError(f'{source} must be well-formed XML, got: {error}; mend that line') from None
    if element.tag != root:
        raise ConfigError(f'{source} must have the root element <{root}>, got <{element.tag[:40]}>')
    return element


def _refuse_declarations(text: str, source: str) -> None:
    def refuse(name: str, *_: object) -> None:
        raise ConfigError(f'{source} must not declare a DOCTYPE or entities, got <!DOCTYPE {name[:40]}; remove it')

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode('utf-8'), True)
    except (expat.ExpatError, ValueError) as error:
        raise ConfigError(f'{source} must be well-formed XML, got: {error}; mend that line') from None


def numbers(text: str | None, count: int, rule: str) -> tuple[float, ...]:
    """`count` finite numbers separated by spaces; `rule` says in the error what they are."""
    words = (text or '').split()
    try:
        values = tuple(float(word) for word in words)
    except ValueError:
        values = ()
    if len(values) != count or not all(math.isfinite(value) for value in values):
        raise ConfigError(f'{rule} must be {count} finite number{"s" if count > 1 else ""}, got {(text or "")[:60]!r}')
    return values


def number(text: str | None, rule: str) -> float:
    """One finite number."""
    return numbers(text, 1, rule)[0]


def positive(text: str | None, count: int, rule: str) -> tuple[float, ...]:
    """`count` finite numbers above 0."""
    values = numbers(text, count, rule)
    if min(values) <= 0:
        raise ConfigError(f'{rule} must be above 0, got {(text or "")[:60]!r}')
    return values


def vector(text: str | None, rule: str) -> Vector:
    """Three finite numbers."""
    x, y, z = numbers(text, 3, rule)
    return (x, y, z)


def name_of(element: Element, source: str) -> str:
    """The element's `name`, which must be there."""
    name = element.get('name', '')
    if not name or len(name) > 100:
        raise ConfigError(f'{source}: <{element.tag}> must have a name of 1 to 100 characters, got {name[:40]!r}')
    return name


def sdf_pose(element: Element | None, rule: str) -> Pose:
    """The pose of an SDF <pose> element (x y z roll pitch yaw); the identity where there is none."""
    if element is None:
        return Pose()
    if element.get('degrees') not in (None, 'false', '0') or element.get('rotation_format') not in (None, 'euler_rpy'):
        raise ConfigError(f'{rule} must be x y z roll pitch yaw in metres and radians, got {element.attrib}')
    x, y, z, roll, pitch, yaw = numbers(element.text, 6, rule)
    return Pose.from_rpy((x, y, z), (roll, pitch, yaw))
