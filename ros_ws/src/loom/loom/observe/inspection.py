"""Whether the views for rviz2 and rqt fit the robot, checked without either program."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Class in rviz_default_plugins -> message type that it shows (empty: none).
DISPLAYS: Mapping[str, str] = {
    'AccelStamped': 'geometry_msgs/msg/AccelStamped', 'Axes': '', 'Camera': 'sensor_msgs/msg/Image',
    'DepthCloud': 'sensor_msgs/msg/Image', 'Effort': 'sensor_msgs/msg/JointState',
    'FluidPressure': 'sensor_msgs/msg/FluidPressure', 'Grid': '', 'GridCells': 'nav_msgs/msg/GridCells',
    'Illuminance': 'sensor_msgs/msg/Illuminance', 'Image': 'sensor_msgs/msg/Image',
    'InteractiveMarkers': 'visualization_msgs/msg/InteractiveMarkerUpdate', 'LaserScan': 'sensor_msgs/msg/LaserScan',
    'Map': 'nav_msgs/msg/OccupancyGrid', 'Marker': 'visualization_msgs/msg/Marker',
    'MarkerArray': 'visualization_msgs/msg/MarkerArray', 'Odometry': 'nav_msgs/msg/Odometry',
    'Path': 'nav_msgs/msg/Path', 'PointCloud': 'sensor_msgs/msg/PointCloud',
    'PointCloud2': 'sensor_msgs/msg/PointCloud2', 'PointStamped': 'geometry_msgs/msg/PointStamped',
    'Polygon': 'geometry_msgs/msg/PolygonStamped', 'Pose': 'geometry_msgs/msg/PoseStamped',
    'PoseArray': 'geometry_msgs/msg/PoseArray', 'PoseWithCovariance': 'geometry_msgs/msg/PoseWithCovarianceStamped',
    'Range': 'sensor_msgs/msg/Range', 'RelativeHumidity': 'sensor_msgs/msg/RelativeHumidity',
    'RobotModel': 'std_msgs/msg/String', 'TF': '', 'Temperature': 'sensor_msgs/msg/Temperature',
    'TwistStamped': 'geometry_msgs/msg/TwistStamped', 'Wrench': 'geometry_msgs/msg/WrenchStamped',
}
# Tool -> message type that it publishes (empty: none).
TOOLS: Mapping[str, str] = {
    'FocusCamera': '', 'Interact': '', 'Measure': '', 'MoveCamera': '', 'Select': '',
    'PublishPoint': 'geometry_msgs/msg/PointStamped', 'SetGoal': 'geometry_msgs/msg/PoseStamped',
    'SetInitialPose': 'geometry_msgs/msg/PoseWithCovarianceStamped',
}
VIEWS = ('FPS', 'FrameAligned', 'Orbit', 'ThirdPersonFollower', 'TopDownOrtho', 'XYOrbit')
PANELS = ('Displays', 'Selection', 'Time', 'Tool Properties', 'Transformation', 'Views')
PLUGINS = ('rqt_bag/Bag', 'rqt_console/Console', 'rqt_graph/RosGraph', 'rqt_image_view/ImageView', 'rqt_plot/Plot',
           'rqt_publisher/Publisher', 'rqt_reconfigure/Param', 'rqt_robot_monitor/RobotMonitor',
           'rqt_service_caller/ServiceCaller', 'rqt_topic/TopicPlugin')
PREFIX = 'rviz_default_plugins/'


@dataclass(frozen=True)
class Offer:
    """A topic as it is published: its message type and the promises of its publisher."""

    type: str
    reliable: bool = True
    latched: bool = False


def view_problems(view: Mapping[str, Any], offers: Mapping[str, Offer], frames: Iterable[str]) -> list[str]:
    """What is wrong with an .rviz file, given the topics (relative names) and the frames of the robot."""
    manager = view.get('Visualization Manager') or {}
    found = [problem for display in manager.get('Displays') or () for problem in _display(display, offers)]
    found += [problem for tool in manager.get('Tools') or () for problem in _tool(tool)]
    fixed = (manager.get('Global Options') or {}).get('Fixed Frame', '')
    known = sorted(frames)
    if fixed not in known:
        found.append(f'Fixed Frame must be a frame of the robot ({", ".join(known)}), got {fixed!r}')
    found += [f'no panel {panel["Class"]!r} in rviz_common' for panel in view.get('Panels') or ()
              if panel.get('Class') not in {f'rviz_common/{name}' for name in PANELS}]
    current = ((manager.get('Views') or {}).get('Current') or {}).get('Class', '')
    if current.removeprefix(PREFIX) not in VIEWS:
        found.append(f'no view {current!r} in rviz_default_plugins')
    return found


def shown_topics(view: Mapping[str, Any]) -> set[str]:
    """Topics that the displays of an .rviz file read, as relative names."""
    displays = (view.get('Visualization Manager') or {}).get('Displays') or ()
    return {_topic(display)['Value'].lstrip('/') for display in displays if _topic(display).get('Value')}


def _topic(display: Mapping[str, Any]) -> Mapping[str, Any]:
    found = display.get('Description Topic') or display.get('Topic') or {}
    return found if isinstance(found, Mapping) else {}


def _display(display: Mapping[str, Any], offers: Mapping[str, Offer]) -> Iterator[str]:
    name, kind = display.get('Name', '?'), str(display.get('Class', ''))
    if not kind.startswith(PREFIX) or kind.removeprefix(PREFIX) not in DISPLAYS:
        yield f'{name}: no display {kind!r} in rviz_default_plugins'
        return
    wanted = DISPLAYS[kind.removeprefix(PREFIX)]
    if not wanted:
        return
    topic = _topic(display)
    place = str(topic.get('Value', '')).lstrip('/')
    offer = offers.get(place)
    if offer is None:
        yield f'{name}: nobody publishes {place!r}'
    elif offer.type != wanted:
        yield f'{name}: {place} is {offer.type}, but this display shows {wanted}'
    else:
        yield from _mismatch(f'{name}: {place}', topic, offer)


def _mismatch(what: str, topic: Mapping[str, Any], offer: Offer) -> Iterator[str]:
    reliable = topic.get('Reliability Policy', 'Reliable') == 'Reliable'
    latched = topic.get('Durability Policy', 'Volatile') == 'Transient Local'
    if reliable and not offer.reliable:
        yield f'{what} is published best effort, but reliable is requested: nothing would arrive'
    if latched and not offer.latched:
        yield f'{what} is published volatile, but transient local is requested: nothing would arrive'
    if offer.latched and not latched:
        yield f'{what} is latched, but volatile is requested: what was published before would be missed'


def _tool(tool: Mapping[str, Any]) -> Iterator[str]:
    kind = str(tool.get('Class', ''))
    if not kind.startswith(PREFIX) or kind.removeprefix(PREFIX) not in TOOLS:
        yield f'no tool {kind!r} in rviz_default_plugins'
    elif TOOLS[kind.removeprefix(PREFIX)] and not (tool.get('Topic') or {}).get('Value'):
        yield f'{kind}: needs the topic that it publishes'


def frame_problems(parents: Mapping[str, str], fixed: str, seen: Iterable[str]) -> list[str]:
    """Frames seen in messages that no chain of transforms (child to parent) joins with the fixed frame."""
    root = _root(parents, fixed)
    return [f'{frame!r} is not joined with the fixed frame {fixed!r}' for frame in sorted(set(seen))
            if _root(parents, frame) != root]


def _root(parents: Mapping[str, str], frame: str) -> str:
    passed = set()
    while frame in parents and frame not in passed:
        passed.add(frame)
        frame = parents[frame]
    return frame


def link_problems(links: Iterable[str], frames: Iterable[str]) -> list[str]:
    """Links of the robot's description that have no transform."""
    return [f'link {link!r} of the description has no transform' for link in sorted(set(links) - set(frames))]


def perspective_problems(text: str) -> list[str]:
    """What is wrong with an rqt .perspective file: values must re-parse, plugins must be known and consistent."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        return [f'not JSON: {error}']
    found: list[str] = []
    _walk(content, '', found)
    manager = (content.get('groups') or {}).get('pluginmanager') or {}
    try:
        running = _value((manager.get('keys') or {}).get('running-plugins'))
    except (ValueError, SyntaxError):
        running = None
    if not isinstance(running, dict):
        return [*found, 'pluginmanager has no running-plugins']
    for plugin, serials in running.items():
        if plugin not in PLUGINS:
            found.append(f'no plugin {plugin!r} is known')
        for serial in serials:
            group = f'plugin__{plugin.replace("/", "__")}__{serial}'
            if group not in (manager.get('groups') or {}):
                found.append(f'{plugin} has no group {group}')
    return found


def _value(wrapped: Any) -> Any:
    """The Python value of {repr, type}; raises ValueError or SyntaxError where it is none."""
    if not isinstance(wrapped, dict) or set(wrapped) - {'pretty-print'} != {'type', wrapped.get('type')}:
        raise ValueError(f'must be wrapped as repr and type, got {wrapped!r}')
    text = wrapped[wrapped['type']]
    if wrapped['type'] == 'repr':
        return ast.literal_eval(text)
    if wrapped['type'] == 'repr(QByteArray.hex)':
        return bytes.fromhex(ast.literal_eval(text.removeprefix('QtCore.QByteArray(').removesuffix(')')).decode())
    raise ValueError(f'unknown type {wrapped["type"]!r}')


def _walk(group: Any, path: str, found: list[str]) -> None:
    if not isinstance(group, dict) or set(group) != {'keys', 'groups'}:
        found.append(f'{path or "/"}: a group needs keys and groups')
        return
    for name, wrapped in group['keys'].items():
        try:
            _value(wrapped)
        except (ValueError, SyntaxError, AttributeError, TypeError) as error:
            found.append(f'{path}/{name}: {error}')
    for name, below in group['groups'].items():
        _walk(below, f'{path}/{name}', found)
