"""What the simulated robot senses as ROS messages."""

from __future__ import annotations

import array
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, Quaternion, Transform, TransformStamped, Twist, Vector3
from nav_msgs.msg import OccupancyGrid
from nav_msgs.msg import Odometry as OdometryMessage
from sensor_msgs.msg import BatteryState, CameraInfo, Image, Imu, JointState, LaserScan
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from loom.ros.heads import set_bulk
from loom.sim.battery import DESIGN_AH, Battery
from loom.sim.occupancy import UNKNOWN, Grid
from loom.sim.odometry import Odometry
from loom.sim.pose import Pose as Placement
from loom.sim.proprioception import ImuReading, JointStates
from loom.sim.robot import Camera, Lidar

ODOM, BASE = 'odom', 'base_link'
# Diagonals in m^2, rad^2 and so on; 1e6 where a floor-bound robot measures nothing.
ODOM_COVARIANCE = np.diag([1e-3, 1e-3, 1e6, 1e6, 1e6, 3e-3]).ravel()
TWIST_COVARIANCE = np.diag([1e-4, 1e-6, 1e6, 1e6, 1e6, 1e-4]).ravel()
ORIENTATION_COVARIANCE = np.diag([1e-4, 1e-4, 3e-3]).ravel()
GYRO_COVARIANCE = np.diag([4e-6] * 3).ravel()
ACCELERATION_COVARIANCE = np.diag([4e-4] * 3).ravel()
SCAN_PERIOD_S = 0.1
PLACE_COLOUR = ColorRGBA(r=0.1, g=0.6, b=0.8, a=1.0)


def placement_to_pose(placement: Placement) -> Pose:
    """A pose of the simulation as a message."""
    (x, y, z), (qw, qx, qy, qz) = placement.position, placement.orientation
    return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def pose_to_placement(pose: Pose) -> Placement:
    """A message's pose for the simulation."""
    p, q = pose.position, pose.orientation
    return Placement((p.x, p.y, p.z), (q.w, q.x, q.y, q.z))


def transform(parent: str, child: str, placement: Placement, stamp: Time) -> TransformStamped:
    """The child frame's pose in its parent, for `tf`."""
    (x, y, z), (qw, qx, qy, qz) = placement.position, placement.orientation
    return TransformStamped(
        header=Header(stamp=stamp, frame_id=parent), child_frame_id=child,
        transform=Transform(translation=Vector3(x=x, y=y, z=z), rotation=Quaternion(x=qx, y=qy, z=qz, w=qw)))


def odometry_pose(odometry: Odometry) -> Placement:
    """Where the odometry puts the base."""
    return Placement((odometry.x, odometry.y, 0.0), (math.cos(odometry.yaw / 2), 0.0, 0.0, math.sin(odometry.yaw / 2)))


def odometry_message(odometry: Odometry, stamp: Time) -> OdometryMessage:
    """`odom`: the pose in the odom frame and the twist in the base's."""
    message = OdometryMessage(header=Header(stamp=stamp, frame_id=ODOM), child_frame_id=BASE)
    message.pose.pose = placement_to_pose(odometry_pose(odometry))
    message.pose.covariance = ODOM_COVARIANCE
    message.twist.twist = Twist(linear=Vector3(x=odometry.speed), angular=Vector3(z=odometry.turn))
    message.twist.covariance = TWIST_COVARIANCE
    return message


def scan_message(ranges: npt.NDArray[np.float32], lidar: Lidar, stamp: Time) -> LaserScan:
    """`scan`, by REP-117."""
    message = LaserScan(
        header=Header(stamp=stamp, frame_id=lidar.link), angle_min=lidar.angle_min, angle_max=lidar.angle_max,
        angle_increment=(lidar.angle_max - lidar.angle_min) / (lidar.samples - 1), scan_time=SCAN_PERIOD_S,
        range_min=lidar.range_min, range_max=lidar.range_max)
    message.ranges = array.array('f', ranges.tobytes())
    return message


def imu_message(reading: ImuReading, frame: str, stamp: Time) -> Imu:
    """`imu/data_raw`, by REP-145."""
    w, x, y, z = reading.orientation
    message = Imu(
        header=Header(stamp=stamp, frame_id=frame), orientation=Quaternion(x=x, y=y, z=z, w=w),
        angular_velocity=_vector(reading.angular_velocity), linear_acceleration=_vector(reading.linear_acceleration))
    message.orientation_covariance = ORIENTATION_COVARIANCE
    message.angular_velocity_covariance = GYRO_COVARIANCE
    message.linear_acceleration_covariance = ACCELERATION_COVARIANCE
    return message


def joint_state_message(joints: JointStates, stamp: Time) -> JointState:
    """`joint_states`."""
    return JointState(
        header=Header(stamp=stamp), name=list(joints.names), position=array.array('d', joints.positions),
        velocity=array.array('d', joints.velocities), effort=array.array('d', joints.efforts))


def image_message(pixels: npt.NDArray[Any], encoding: str, frame: str, stamp: Time) -> Image:
    """An image, rows from the top: uint8 (H, W, 3) as rgb8, float32 (H, W) as 32FC1; its data are the pixels."""
    message = Image(header=Header(stamp=stamp, frame_id=frame), height=pixels.shape[0], width=pixels.shape[1],
                    encoding=encoding, step=pixels[0].nbytes, is_bigendian=0)
    set_bulk(message, np.ascontiguousarray(pixels))
    return message


def camera_info_message(camera: Camera, stamp: Time) -> CameraInfo:
    """`camera_info` of an ideal camera with square pixels."""
    focal = camera.width / 2 / math.tan(camera.horizontal_fov / 2)
    cx, cy = camera.width / 2, camera.height / 2
    message = CameraInfo(header=Header(stamp=stamp, frame_id=camera.optical_frame), width=camera.width,
                         height=camera.height, distortion_model='plumb_bob')
    message.d = array.array('d', [0.0] * 5)
    message.k = np.array([focal, 0, cx, 0, focal, cy, 0, 0, 1], float)
    message.r = np.eye(3).ravel()
    message.p = np.array([focal, 0, cx, 0, 0, focal, cy, 0, 0, 0, 1, 0], float)
    return message


def battery_message(battery: Battery, stamp: Time) -> BatteryState:
    """`battery_state`."""
    return BatteryState(
        header=Header(stamp=stamp), voltage=battery.voltage, temperature=math.nan,
        current=-battery.power_w / battery.voltage, charge=battery.charge * DESIGN_AH, capacity=DESIGN_AH,
        design_capacity=DESIGN_AH, percentage=battery.charge, present=True,
        power_supply_status=BatteryState.POWER_SUPPLY_STATUS_DISCHARGING,
        power_supply_health=BatteryState.POWER_SUPPLY_HEALTH_GOOD,
        power_supply_technology=BatteryState.POWER_SUPPLY_TECHNOLOGY_LION)


def grid_message(grid: Grid, stamp: Time, frame: str = 'map') -> OccupancyGrid:
    """`map`: -1 is unknown."""
    message = OccupancyGrid(header=Header(stamp=stamp, frame_id=frame))
    message.info.map_load_time = stamp
    message.info.resolution = grid.resolution_m
    message.info.height, message.info.width = grid.cells.shape
    message.info.origin = Pose(position=Point(x=grid.origin_x, y=grid.origin_y))
    cells = np.where(grid.cells == UNKNOWN, np.int8(-1), grid.cells.astype(np.int8))
    message.data = array.array('b', cells.tobytes())
    return message


def place_markers(places: dict[str, tuple[float, float, float]], stamp: Time, frame: str) -> MarkerArray:
    """An arrow and a name for each place."""
    markers = []
    for number, (name, (x, y, yaw)) in enumerate(sorted(places.items())):
        pose = placement_to_pose(Placement.from_rpy((x, y, 0.05), (0.0, 0.0, yaw)))
        arrow = Marker(header=Header(stamp=stamp, frame_id=frame), ns='places', id=2 * number, type=Marker.ARROW,
                       pose=pose, scale=Vector3(x=0.35, y=0.06, z=0.06), color=PLACE_COLOUR)
        label = Marker(header=arrow.header, ns='places', id=2 * number + 1, type=Marker.TEXT_VIEW_FACING,
                       pose=placement_to_pose(Placement((x, y, 0.4))), scale=Vector3(z=0.2), color=PLACE_COLOUR,
                       text=name)
        markers += [arrow, label]
    return MarkerArray(markers=markers)


def _vector(values: tuple[float, float, float]) -> Vector3:
    x, y, z = values
    return Vector3(x=x, y=y, z=z)
