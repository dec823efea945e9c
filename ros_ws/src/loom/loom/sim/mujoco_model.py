"""One MuJoCo model from the robot's URDF and the world's plain values."""

from __future__ import annotations

import math
from typing import Any
from xml.etree.ElementTree import SubElement, tostring

from loom.core.errors import ConfigError
from loom.sim.engine import mujoco
from loom.sim.markup import parse
from loom.sim.pose import Pose
from loom.sim.robot import Robot
from loom.sim.shape import Geometry, Model, Shape, World

TIMESTEP_S = 0.002
SOLID, SEEN = 0, 1
ROLLING_FRICTION = 0.002
MOTOR_GAIN = 3.0
MOTOR_TORQUE_N_M = 2.0
GEAR_INERTIA = 0.004
IMU_SITE = 'imu'
CAMERA = 'camera'


def build(robot: Robot, world: World) -> Any:
    """An MjSpec with the robot at the world's spawn frame; collision shapes are in group 0, seen ones in group 1."""
    spec = _load_robot(robot)
    _set_options(spec)
    _free_base(spec, robot, world.spawn)
    _motors(spec, robot)
    _sensors(spec, robot)
    _furnish(spec, world)
    return spec


def build_world(world: World) -> Any:
    """An MjSpec of the world alone, for converters to other formats."""
    spec = mujoco.MjSpec()
    spec.modelname = world.name
    _add_lights(spec, world)
    for model in world.models:
        if model.static:
            _add_shapes(spec, spec.worldbody, model, model.pose)
        else:
            _add_model(spec, model)
    return spec


def _furnish(spec: Any, world: World) -> None:
    _add_sky(spec, world)
    _add_lights(spec, world)
    for model in world.models:
        _add_model(spec, model)


def _add_model(spec: Any, model: Model) -> None:
    """A body of its own, so that it can be put elsewhere; one that is not static moves freely."""
    body = spec.worldbody.add_body(name=model.name, pos=model.pose.position, quat=model.pose.orientation)
    if not model.static:
        body.add_freejoint(name=f'{model.name}/joint')
    _add_shapes(spec, body, model, Pose())


def _add_shapes(spec: Any, body: Any, model: Model, pose: Pose) -> None:
    for link in model.links:
        solid = [shape for shape in link.shapes if shape.collides]
        volume = sum(shape.geometry.volume for shape in solid)
        if not model.static and (not solid or volume <= 0):
            raise ConfigError(f'model {model.name!r} must have a collision with a volume to move, got none; '
                              'add a <collision> or make it <static>')
        density = link.mass / volume if link.mass else 500.0
        for shape in link.shapes:
            _add_shape(spec, body, model.name, pose @ link.pose @ shape.pose, shape, density)


def _load_robot(robot: Robot) -> Any:
    root = parse(robot.text, robot.name, 'robot')
    # MuJoCo would throw away what is only seen, and melt links that are fixed into their parents.
    SubElement(SubElement(root, 'mujoco'), 'compiler', discardvisual='false', fusestatic='false', strippath='false')
    try:
        return mujoco.MjSpec.from_string(tostring(root, 'unicode'))
    except ValueError as error:
        raise ConfigError(f'the URDF of {robot.name!r} must load in MuJoCo, got: {error}') from None


def _set_options(spec: Any) -> None:
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    spec.stat.extent = 1.0
    spec.visual.map.znear = 0.02
    spec.visual.map.zfar = 60.0
    # Shadows and multisampling make the offscreen renderer 40 to 60 times slower.
    spec.visual.quality.shadowsize = 0
    spec.visual.quality.offsamples = 0
    spec.visual.headlight.ambient = (0.55, 0.55, 0.56)
    spec.visual.headlight.diffuse = (0.32, 0.32, 0.32)
    spec.visual.headlight.specular = (0.0, 0.0, 0.0)


def _free_base(spec: Any, robot: Robot, spawn: Pose) -> None:
    base = spec.body(robot.root)
    base.add_freejoint(name=f'{robot.name}/joint')
    base.pos, base.quat = spawn.position, spawn.orientation
    for body in spec.bodies:
        for geom in body.geoms:
            geom.group = SOLID if geom.contype or geom.conaffinity else SEEN
            if geom.group == SOLID and body.name in robot.friction:
                _roll_or_glide(geom, robot.friction[body.name])


def _roll_or_glide(geom: Any, friction: float) -> None:
    """The part that touches the floor decides the friction there, not the floor."""
    geom.priority = 1
    geom.condim = 3 if friction > 0 else 1
    geom.friction = (max(friction, 1e-5), 0.005, 0.0001)
    # Casters give way, so that the wheels keep their share of the weight on an uneven floor.
    geom.solref = (0.004, 1.0) if friction > 0 else (0.03, 1.0)


def _motors(spec: Any, robot: Robot) -> None:
    for joint in (robot.drive.left_joint, robot.drive.right_joint):
        spec.joint(joint).armature = GEAR_INERTIA
        motor = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_velocity(kv=MOTOR_GAIN)
        motor.forcelimited = True
        motor.forcerange = (-MOTOR_TORQUE_N_M, MOTOR_TORQUE_N_M)


def _sensors(spec: Any, robot: Robot) -> None:
    spec.body(robot.imu.link).add_site(name=IMU_SITE)
    kinds = mujoco.mjtSensor
    for name, kind in (('gyro', kinds.mjSENS_GYRO), ('accelerometer', kinds.mjSENS_ACCELEROMETER)):
        spec.add_sensor(name=name, type=kind, objtype=mujoco.mjtObj.mjOBJ_SITE, objname=IMU_SITE)
    camera = spec.body(robot.camera.link).add_camera(name=CAMERA)
    # MuJoCo's cameras look along -z with y up; the link looks along x with z up.
    camera.quat = (0.5, 0.5, -0.5, -0.5)
    width, height = robot.camera.width, robot.camera.height
    camera.fovy = vertical_fov_degrees(robot.camera.horizontal_fov, width, height)
    spec.visual.global_.offwidth, spec.visual.global_.offheight = width, height


def vertical_fov_degrees(horizontal_fov: float, width: int, height: int) -> float:
    """The vertical field of view in degrees of a picture with square pixels."""
    return math.degrees(2 * math.atan(math.tan(horizontal_fov / 2) * height / width))


def _add_sky(spec: Any, world: World) -> None:
    horizon = world.background[:3]
    zenith = tuple(0.55 * part for part in horizon[:2]) + (0.75 * horizon[2],)
    spec.add_texture(name='sky', type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
                     rgb1=zenith, rgb2=horizon, width=128, height=768)


def _add_lights(spec: Any, world: World) -> None:
    kinds = mujoco.mjtLightType
    for light in world.lights:
        kind = kinds.mjLIGHT_DIRECTIONAL if light.kind == 'directional' else kinds.mjLIGHT_POINT
        spec.worldbody.add_light(name=f'{light.name}/light', type=kind, pos=light.pose.position, dir=light.direction,
                                 diffuse=light.diffuse, specular=(0.05, 0.05, 0.05))


def _add_shape(spec: Any, body: Any, owner: str, pose: Pose, shape: Shape, density: float) -> None:
    geom = body.add_geom(
        name=f'{owner}/{shape.name}', type=_KINDS[shape.geometry.kind], size=_half_size(shape.geometry),
        pos=pose.position, quat=pose.orientation, rgba=shape.colour, density=density if shape.collides else 0.0)
    if shape.collides:
        geom.group = SOLID
        geom.friction = (shape.friction, 0.005, 0.0001)
        if shape.geometry.kind in ('sphere', 'cylinder'):
            # Without rolling friction a ball that is touched once never stops.
            geom.condim, geom.friction = 6, (shape.friction, 0.005, ROLLING_FRICTION)
        return
    geom.group, geom.contype, geom.conaffinity = SEEN, 0, 0
    if shape.texture is not None:
        geom.material = _material(spec, str(shape.texture), shape.texture.stem)


def _material(spec: Any, file: str, name: str) -> str:
    if spec.material(name) is None:
        spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, file=file)
        material = spec.add_material(name=name, specular=0.05, shininess=0.1)
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    return name


_KINDS = {
    'box': mujoco.mjtGeom.mjGEOM_BOX, 'cylinder': mujoco.mjtGeom.mjGEOM_CYLINDER,
    'sphere': mujoco.mjtGeom.mjGEOM_SPHERE, 'plane': mujoco.mjtGeom.mjGEOM_PLANE,
}


def _half_size(geometry: Geometry) -> tuple[float, float, float]:
    if geometry.kind == 'cylinder':
        return (geometry.size[0], geometry.size[1] / 2, 0.0)
    if geometry.kind == 'plane':
        return (geometry.size[0] / 2, geometry.size[1] / 2, 1.0)
    return geometry.half_extents
