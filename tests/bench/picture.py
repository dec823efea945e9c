"""The mission as one picture: the house from above with the robot where it ended, its last camera picture, its way."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use('Agg')
from matplotlib import pyplot

from loom.ros.sim_files import robot_path, world_path
from loom.sim.entities import EntityState
from loom.sim.occupancy import rasterise
from loom.sim.pose import Pose
from loom.sim.simulation import Simulation
from loom.sim.world import read_world


def draw(pose: Pose, camera: np.ndarray, track: list[tuple[float, float]], report: str, path: Path) -> None:
    """Writes a PNG; `pose` is the robot's true one, `camera` RGB as it was published, `track` (x, y) in the map."""
    simulation = Simulation.load(robot_path('loom_bot'), world_path('home'))
    simulation.entities.place(simulation.robot.name, EntityState(pose))
    simulation.step(1)
    overview = simulation.render_overview(1200, 900)
    simulation.close()
    figure = pyplot.figure(figsize=(15, 7.4), facecolor='white')
    house, eye, way = (figure.add_axes(box) for box in ((0.01, 0.02, 0.60, 0.93), (0.63, 0.50, 0.36, 0.45),
                                                        (0.63, 0.02, 0.36, 0.42)))
    house.imshow(overview)
    house.set_title('the simulated home; the robot has arrived in the kitchen')
    eye.imshow(camera)
    eye.set_title(f'camera/front, and what it said: "{report}"', fontsize=10)
    world = read_world(world_path('home'))
    grid = rasterise(world)
    left, bottom = grid.origin_x, grid.origin_y
    right, top = (left + grid.cells.shape[1] * grid.resolution_m, bottom + grid.cells.shape[0] * grid.resolution_m)
    way.imshow(grid.cells, cmap='Greys', origin='lower', extent=(left, right, bottom, top), vmax=160)
    way.plot(*zip(*track), color='tab:red', linewidth=2)
    for name, place in world.places.items():
        way.annotate(name, place[:2], fontsize=8, color='tab:blue', ha='center')
    way.set_title('map, places and the way it drove')
    for axes in (house, eye, way):
        axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
