"""URDF files as plain values, refused with the rule that they break."""

from __future__ import annotations

from pathlib import Path

from loom.core.errors import ConfigError
from loom.sim.markup import Element, name_of, number, parse, positive, read_text, vector
from loom.sim.pose import Pose
from loom.sim.robot import Camera, Drive, Imu, Joint, Lidar, Robot, Skeleton

JOINT_TYPES = ('fixed', 'continuous', 'revolute', 'prismatic')
MAX_LINKS = 500


def read_skeleton(path: Path) -> Skeleton:
    """Links and joints of any robot's URDF file."""
    return _skeleton(read_text(path), path.name)[0]


def read_robot(path: Path) -> Robot:
    """The robot in a URDF file whose <gazebo> elements tell its drive and sensors."""
    return parse_robot(read_text(path), path.name)


def parse_robot(text: str, source: str) -> Robot:
    """The robot in a URDF text."""
    skeleton, root = _skeleton(text, source)
    friction = {gazebo.get('reference', ''): number(mu, f'{source}: mu1') for gazebo in root.findall('gazebo')
                if (mu := gazebo.findtext('mu1'))}
    return Robot(skeleton.name, text, skeleton.links, skeleton.joints, friction, _read_drive(root, source),
                 _read_lidar(root, source), _read_camera(root, source), _read_imu(root, source))


def _skeleton(text: str, source: str) -> tuple[Skeleton, Element]:
    root = parse(text, source, 'robot')
    links = tuple(name_of(link, source) for link in root.findall('link'))
    joints = tuple(_read_joint(joint, source) for joint in root.findall('joint'))
    _check_tree(links, joints, source)
    return Skeleton(name_of(root, source), text, links, joints), root


def _read_joint(element: Element, source: str) -> Joint:
    name = name_of(element, source)
    kind, rule = element.get('type', ''), f'{source}, joint {name!r}'
    if kind not in JOINT_TYPES:
        raise ConfigError(f'{rule} must have a type of {", ".join(JOINT_TYPES)}; got {kind[:40]!r}')
    parent, child, origin = element.find('parent'), element.find('child'), element.find('origin')
    if parent is None or child is None:
        raise ConfigError(f'{rule} must have <parent link=""> and <child link="">, got one or none')
    axis = element.find('axis')
    direction = (1.0, 0.0, 0.0) if axis is None else vector(axis.get('xyz'), f'{rule}: axis')
    if direction == (0.0, 0.0, 0.0):
        raise ConfigError(f'{rule} must have an axis that is not zero, got {direction}')
    return Joint(
        name=name, type=kind, parent=parent.get('link', ''), child=child.get('link', ''),
        origin=Pose() if origin is None else Pose.from_rpy(vector(origin.get('xyz', '0 0 0'), f'{rule}: xyz'),
                                                           vector(origin.get('rpy', '0 0 0'), f'{rule}: rpy')),
        axis=direction,
    )


def _check_tree(links: tuple[str, ...], joints: tuple[Joint, ...], source: str) -> None:
    if not links or len(links) > MAX_LINKS or len(set(links)) != len(links):
        raise ConfigError(f'{source} must have 1 to {MAX_LINKS} links with names of their own, got {len(links)}')
    for joint in joints:
        for link in (joint.parent, joint.child):
            if link not in links:
                raise ConfigError(f'{source}, joint {joint.name!r} must join links that exist, got {link[:60]!r}')
    parents = {joint.child: joint.parent for joint in joints}
    if len(parents) != len(joints) or len(links) - len(joints) != 1:
        raise ConfigError(f'{source} must be one tree: each link but one the child of one joint; '
                          f'got {len(links)} links and {len(joints)} joints')
    for link in links:
        seen = {link}
        while link in parents:
            link = parents[link]
            if link in seen:
                raise ConfigError(f'{source} must be a tree, got a loop of joints through link {link[:60]!r}')
            seen.add(link)


def _required(element: Element | None, path: str, source: str) -> Element:
    found = element.find(path) if element is not None else None
    if found is None:
        raise ConfigError(f'{source} must have <{path}> in its <gazebo> elements, got none; add it')
    return found


def _sensor(root: Element, kind: str, source: str) -> tuple[str, Element]:
    for gazebo in root.findall('gazebo'):
        for sensor in gazebo.findall('sensor'):
            if sensor.get('type') == kind:
                return gazebo.get('reference', ''), sensor
    raise ConfigError(f'{source} must have a <sensor type="{kind}"> in a <gazebo> element, got none; add it')


def _read_drive(root: Element, source: str) -> Drive:
    plugins = [p for p in root.findall('gazebo/plugin') if p.get('name', '').endswith('DiffDrive')]
    if len(plugins) != 1:
        raise ConfigError(f'{source} must have one DiffDrive plugin in a <gazebo> element, got {len(plugins)}')
    names = ('wheel_separation', 'wheel_radius', 'max_linear_velocity', 'max_angular_velocity',
             'max_linear_acceleration', 'max_angular_acceleration')
    values = [positive(plugins[0].findtext(name), 1, f'{source}: {name}')[0] for name in names]
    joints = [(plugins[0].findtext(name) or '').strip() for name in ('left_joint', 'right_joint')]
    return Drive(joints[0], joints[1], *values)


def _read_lidar(root: Element, source: str) -> Lidar:
    link, sensor = _sensor(root, 'gpu_lidar', source)
    rays, span = _required(sensor, 'lidar/scan/horizontal', source), _required(sensor, 'lidar/range', source)
    return Lidar(
        link=link,
        samples=int(positive(rays.findtext('samples'), 1, f'{source}: lidar samples')[0]),
        angle_min=number(rays.findtext('min_angle'), f'{source}: lidar min_angle'),
        angle_max=number(rays.findtext('max_angle'), f'{source}: lidar max_angle'),
        range_min=positive(span.findtext('min'), 1, f'{source}: lidar range min')[0],
        range_max=positive(span.findtext('max'), 1, f'{source}: lidar range max')[0],
        noise_m=number(sensor.findtext('lidar/noise/stddev', '0'), f'{source}: lidar noise'),
    )


def _read_camera(root: Element, source: str) -> Camera:
    link, sensor = _sensor(root, 'rgbd_camera', source)
    camera = _required(sensor, 'camera', source)
    image, clip = _required(camera, 'image', source), _required(camera, 'clip', source)
    return Camera(
        link=link,
        optical_frame=(sensor.findtext('gz_frame_id') or link).strip(),
        width=int(positive(image.findtext('width'), 1, f'{source}: camera width')[0]),
        height=int(positive(image.findtext('height'), 1, f'{source}: camera height')[0]),
        horizontal_fov=positive(camera.findtext('horizontal_fov'), 1, f'{source}: camera horizontal_fov')[0],
        near_m=positive(clip.findtext('near'), 1, f'{source}: camera near')[0],
        far_m=positive(clip.findtext('far'), 1, f'{source}: camera far')[0],
    )


def _read_imu(root: Element, source: str) -> Imu:
    link, sensor = _sensor(root, 'imu', source)
    gyro = sensor.findtext('imu/angular_velocity/z/noise/stddev', '0')
    acceleration = sensor.findtext('imu/linear_acceleration/x/noise/stddev', '0')
    return Imu(link, number(gyro, f'{source}: gyro noise'), number(acceleration, f'{source}: acceleration noise'))
