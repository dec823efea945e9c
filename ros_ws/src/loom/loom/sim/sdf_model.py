"""The SDF <model> element as plain values."""

from __future__ import annotations

from pathlib import Path

from loom.core.errors import ConfigError
from loom.sim.markup import Element, name_of, number, numbers, positive, sdf_pose, vector
from loom.sim.pose import Pose
from loom.sim.shape import GREY, Colour, Geometry, Link, Model, Shape

GEOMETRIES = ('box', 'cylinder', 'plane', 'sphere')
MAX_LENGTH_M = 1000.0
MAX_SHAPES = 1000


def read_model(element: Element, folder: Path) -> Model:
    """The model; texture paths are taken relative to `folder`."""
    name = name_of(element, 'SDF')
    source = f'model {name!r}'
    for child in element:
        if child.tag in ('joint', 'include', 'model'):
            raise ConfigError(f'{source} must have links only, got <{child.tag}>; '
                              'write each moving part as a model of its own')
    links = tuple(_read_link(link, source, folder) for link in element.findall('link'))
    if not links:
        raise ConfigError(f'{source} must have at least one <link>, got none')
    if sum(len(link.shapes) for link in links) > MAX_SHAPES:
        raise ConfigError(f'{source} must have at most {MAX_SHAPES} shapes; split it into models')
    static = (element.findtext('static') or 'false').strip() in ('true', '1')
    if not static and len(links) > 1:
        raise ConfigError(f'{source} must have one <link> or be <static>true</static>, got {len(links)} links')
    return Model(name, own_pose(element, source), static, links)


def own_pose(element: Element, source: str) -> Pose:
    """The element's pose, which must be written and not be relative to something else."""
    pose = element.find('pose')
    if pose is None:
        raise ConfigError(f'{source} must have a <pose>, got none; add <pose>x y z roll pitch yaw</pose>')
    if pose.get('relative_to') not in (None, '', 'world'):
        raise ConfigError(f'{source} must have its pose in the world, got relative_to={pose.get("relative_to")!r}')
    return sdf_pose(pose, f'the pose of {source}')


def _read_link(element: Element, model: str, folder: Path) -> Link:
    name = name_of(element, model)
    source = f'{model}, link {name!r}'
    shapes = [_read_shape(e, source, folder) for e in element if e.tag in ('collision', 'visual')]
    mass = element.find('inertial/mass')
    return Link(
        name=name,
        pose=sdf_pose(element.find('pose'), f'the pose of {source}'),
        shapes=tuple(shapes),
        mass=positive(mass.text, 1, f'the mass of {source}')[0] if mass is not None else 0.0,
    )


def _read_shape(element: Element, link: str, folder: Path) -> Shape:
    name = name_of(element, link)
    source = f'{link}, {element.tag} {name!r}'
    friction = element.findtext('surface/friction/ode/mu')
    return Shape(
        name=name,
        pose=sdf_pose(element.find('pose'), f'the pose of {source}'),
        geometry=read_geometry(element.find('geometry'), source),
        collides=element.tag == 'collision',
        colour=_read_colour(element, source),
        texture=_read_texture(element, source, folder),
        friction=number(friction, f'the friction of {source}') if friction is not None else 0.8,
    )


def read_geometry(element: Element | None, source: str) -> Geometry:
    """The one geometry in a <geometry> element, each length above 0 and at most 1000 m."""
    found = list(element) if element is not None else []
    if len(found) != 1 or found[0].tag not in GEOMETRIES:
        kinds = ', '.join(child.tag for child in found) or 'nothing'
        raise ConfigError(f'{source} must have one geometry of {", ".join(GEOMETRIES)}; got {kinds[:80]}')
    shape, rule = found[0], f'the {found[0].tag} of {source}'
    if shape.tag == 'box':
        size = positive(shape.findtext('size'), 3, f'{rule}: size')
    elif shape.tag == 'plane':
        size = positive(shape.findtext('size'), 2, f'{rule}: size')
    elif shape.tag == 'sphere':
        size = positive(shape.findtext('radius'), 1, f'{rule}: radius')
    else:
        size = (positive(shape.findtext('radius'), 1, f'{rule}: radius')
                + positive(shape.findtext('length'), 1, f'{rule}: length'))
    if max(size) > MAX_LENGTH_M:
        raise ConfigError(f'{rule} must be at most {MAX_LENGTH_M:g} m, got {max(size):g}')
    if shape.tag == 'plane' and vector(shape.findtext('normal', '0 0 1'), f'{rule}: normal') != (0, 0, 1):
        raise ConfigError(f'{rule} must have the normal 0 0 1; turn it with its pose')
    return Geometry(shape.tag, size)


def _read_colour(element: Element, source: str) -> Colour:
    text = element.findtext('material/diffuse')
    if text is None:
        return GREY
    words = text.split()
    r, g, b, a = numbers(text if len(words) != 3 else text + ' 1', 4, f'the diffuse colour of {source}')
    if not 0 <= min(r, g, b, a) <= max(r, g, b, a) <= 1:
        raise ConfigError(f'the diffuse colour of {source} must be numbers from 0 to 1, got {text[:60]!r}')
    return (r, g, b, a)


def _read_texture(element: Element, source: str, folder: Path) -> Path | None:
    text = element.findtext('material/pbr/metal/albedo_map')
    if text is None:
        return None
    path = (folder / text.strip()).resolve()
    if path.suffix != '.png' or not path.is_file():
        raise ConfigError(f'the albedo_map of {source} must be a PNG file beside the world, got {text.strip()[:120]!r}')
    return path
