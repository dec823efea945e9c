"""Examines the machine Loom runs on; every finding says what was observed and how to mend it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMMANDS = {'espeak-ng': 'the robot has no voice', 'pulseaudio': 'no virtual sound card where there is no real one',
            'ign': 'worlds are not checked by the SDF checker (package ignition-tools)',
            'colcon': 'nothing can be built'}
MODULES = ('rclpy', 'loom_msgs', 'simulation_interfaces', 'tf2_msgs', 'mujoco', 'onnxruntime', 'cv2', 'pyaudio',
           'pocketsphinx', 'silero_vad', 'rapidocr', 'aiohttp', 'pydantic', 'opentelemetry')
MIN_SHM_MB = 256
MIN_MEMORY_MB = 2000
GATEWAY_PORT = 8770
# What config/dds/fastdds.xml asks for.
UDP_BYTES = 4 << 20


@dataclass(frozen=True)
class Finding:
    """One thing looked at: level is ok, note or fault."""

    level: str
    what: str
    found: str
    remedy: str = ''


def examine() -> list[Finding]:
    """All findings, in the order in which a robot would need them."""
    return [*_python(), *_modules(), *_commands(), *_memory(), *_devices(), *_network()]


def _python() -> Iterator[Finding]:
    version = '.'.join(map(str, sys.version_info[:3]))
    good = (3, 10) <= sys.version_info[:2] <= (3, 14)
    yield Finding('ok' if good else 'fault', 'Python', version, '' if good else 'use Python 3.10 to 3.14')
    distribution = os.environ.get('ROS_DISTRO', '')
    yield Finding('ok', 'ROS 2', f'{distribution} of the system' if distribution else 'from PyPI')
    if not shutil.which('ros2'):
        yield Finding('fault', 'ros2 command', 'not found', 'type: source ros_ws/activate')


def _modules() -> Iterator[Finding]:
    missing = [name for name in MODULES if importlib.util.find_spec(name) is None]
    found = 'missing: ' + ', '.join(missing) if missing else 'all there'
    yield Finding('fault' if missing else 'ok', 'Python packages', found, 'type: make setup' if missing else '')


def _commands() -> Iterator[Finding]:
    for command, without in COMMANDS.items():
        path = shutil.which(command)
        remedy = '' if path else 'type: make setup'
        yield Finding('ok' if path else 'fault', command, path or f'not found: {without}', remedy)


def _memory() -> Iterator[Finding]:
    pages, size = os.sysconf('SC_AVPHYS_PAGES'), os.sysconf('SC_PAGE_SIZE')
    free_mb = pages * size // 2**20
    enough = free_mb >= MIN_MEMORY_MB
    yield Finding('ok' if enough else 'note', 'free memory', f'{free_mb} MB on {os.cpu_count()} cores',
                  '' if enough else f'the full robot takes up to {MIN_MEMORY_MB} MB: end other programs')
    shared_mb = shutil.disk_usage('/dev/shm').free // 2**20
    yield Finding('ok' if shared_mb >= MIN_SHM_MB else 'fault', 'shared memory', f'{shared_mb} MB free in /dev/shm',
                  '' if shared_mb >= MIN_SHM_MB else 'remove segments of dead processes, or mount it larger')


def _devices() -> Iterator[Finding]:
    cameras = sorted(str(p) for p in Path('/dev').glob('video*'))
    found = ', '.join(cameras) or 'none: the simulator or a video file is used'
    yield Finding('ok' if cameras else 'note', 'cameras', found)
    cards = Path('/proc/asound/cards')
    sound = cards.is_file() and 'no soundcards' not in cards.read_text()
    yield Finding('ok' if sound else 'note', 'sound card', 'found' if sound else 'none: a virtual one is used')
    gpu = Path('/dev/dri').is_dir() or Path('/dev/nvidia0').exists()
    yield Finding('ok' if gpu else 'note', 'GPU', 'found' if gpu else 'none: pictures are rendered by the CPU')


def _network() -> Iterator[Finding]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', GATEWAY_PORT))
            yield Finding('ok', 'network gateway', f'port {GATEWAY_PORT} is free')
        except OSError as error:
            yield Finding('note', 'network gateway', f'port {GATEWAY_PORT}: {error.strerror}',
                          'a robot is up already, or set LOOM_NETWORK_GATEWAY_PORT')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BYTES)
        # Linux doubles what it grants, for its own books.
        granted = probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
    enough = granted >= UDP_BYTES
    yield Finding('ok' if enough else 'note', 'UDP buffer', f'{granted >> 10} KiB for what DDS has not read yet',
                  '' if enough else f'a busy machine loses messages: sudo sysctl -w net.core.rmem_max={UDP_BYTES}')
    scope = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    yield Finding('ok', 'discovery', f'domain {os.environ.get("ROS_DOMAIN_ID", "0")}, range {scope}')
