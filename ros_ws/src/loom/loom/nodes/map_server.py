"""map_server: the floor plan as a map, the named places, and where odometry starts on it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from nav_msgs.msg import OccupancyGrid
from pydantic import Field
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from loom.core.config import NodeConfig
from loom.core.delivery import STATE
from loom.ros.node import OK, LoomNode, Part
from loom.ros.process import run
from loom.ros.sim_convert import ODOM, grid_message, place_markers, transform
from loom.ros.sim_files import world_path
from loom.sim.occupancy import rasterise
from loom.sim.pose import Pose
from loom.sim.world import read_world


class MapServerConfig(NodeConfig):
    """Settings of map_server."""

    world: str = Field('home', description='Name in sim/worlds or path of an SDF file: the floor plan.')
    resolution_m: float = Field(0.05, ge=0.01, le=1, description='Edge of a cell.')
    map_frame: str = Field('map', description='Frame of the map.')


class MapServer(LoomNode):
    """Latches `map`, `loom/places`, the markers of the places, and the transform from map to odom."""

    Config = MapServerConfig
    config: MapServerConfig

    def configure(self) -> None:
        """Draws the map."""
        self._world = read_world(world_path(self.config.world))
        self._grid = rasterise(self._world, self.config.resolution_m)
        self._map = self.publisher(OccupancyGrid, 'map', STATE)
        self._places = self.publisher(String, 'loom/places', STATE)
        self._markers = self.publisher(MarkerArray, 'loom/markers', STATE)
        self._static = self.publisher(TFMessage, 'tf_static', STATE)

    def activate(self) -> None:
        """Publishes all of it once: it is latched."""
        stamp, frame = self.get_clock().now().to_msg(), self.config.map_frame
        self._map.publish(grid_message(self._grid, stamp, frame))
        self._places.publish(String(data=json.dumps(self._world.places)))
        self._markers.publish(place_markers(self._world.places, stamp, frame))
        # The robot starts at the spawn frame, and odometry counts from there.
        start = Pose.from_rpy((*self._world.spawn.position[:2], 0.0), (0.0, 0.0, self._world.spawn.yaw))
        self._static.publish(TFMessage(transforms=[transform(frame, ODOM, start, stamp)]))

    def diagnose(self) -> Iterable[Part]:
        """What the map is of."""
        rows, columns = self._grid.cells.shape
        yield Part('map', OK, self._world.name, {'rows': str(rows), 'columns': str(columns),
                                                 'places': ', '.join(self._world.places)})


def main() -> None:
    """Runs the node."""
    run(MapServer)


if __name__ == '__main__':
    main()
