"""The bus against bare rclpy, dora-rs, iceoryx2 and zenoh: process to process on this host, in turns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bus import load
from bus.contest import Exercise, Outcomes, play
from bus.distributions import draw
from bus.peer import Dora, Peer, install, loom_environment
from row import Row

PLOT = Path(__file__).parents[2] / 'build' / 'bench' / 'bus.png'
POOL = {'DORA_NODE_SHM_POOL_SIZE': str(512 << 20)}

DORA = Dora('dora', 'dora_bytes', 'dora-rs with a pool of 512 MB', 'dora', POOL)
DORA_DEFAULT = Dora('dora_default', 'dora_bytes', 'dora-rs', 'dora')
ICEORYX2 = Peer('iceoryx2', 'iceoryx2_bytes', 'iceoryx2', 'iceoryx2')
ZENOH = Peer('zenoh', 'zenoh_bytes', 'zenoh', 'zenoh')
RCLPY_STRING = Peer('rclpy', 'rclpy_string', 'bare rclpy: std_msgs/String, rclpy.spin')
RCLPY_IMAGE = Peer('rclpy', 'rclpy_image', 'bare rclpy: sensor_msgs/Image, rclpy.spin')


def loom(name: str, program: str, title: str) -> Peer:
    """One of our own programs, with the environment of the launch files."""
    return Peer(name, program, title, environment=loom_environment())


def measure() -> list[Row]:
    """p50 and p99 of each, and the ratios that must hold."""
    install()
    event = loom('loom', 'loom_event', 'Event over RosBus')
    pictures = (loom('loom', 'loom_picture', 'payload store'), loom('standard', 'loom_image', 'standard topic, tuned'),
                DORA, DORA_DEFAULT, ICEORYX2, ZENOH)
    contests = {
        exercise.name: (peers, play(exercise, peers)) for exercise, peers in (
            (Exercise('256b', 256, 1000.0, 3000), (event, RCLPY_STRING, DORA_DEFAULT, ICEORYX2, ZENOH)),
            (Exercise('1mb', 1_000_000, 30.0, 90), (*pictures, RCLPY_IMAGE)),
            (Exercise('6mb', 6_220_800, 30.0, 90), pictures))}
    draw({name: outcomes for name, (_, outcomes) in contests.items()}, PLOT)
    small, large, larger = (outcomes for _, outcomes in contests.values())
    return [
        *ratio('bus.256b_p50_ratio', small, 'loom', 'rclpy', '<= 0.9', RCLPY_STRING),
        *ratio('bus.256b_cpu_ratio', small, 'loom', 'rclpy', '<= 0.7', RCLPY_STRING, of='cpu_us'),
        *(Row(f'bus.256b_{peer.name}_cpu_us', small[peer.name].cpu_us, 'us', peer=peer.title)
          for peer in (event, RCLPY_STRING)),
        *ratio('bus.1mb_vs_rclpy', large, 'rclpy', 'loom', '>= 30', RCLPY_IMAGE),
        *ratio('bus.1mb_standard_vs_rclpy', large, 'rclpy', 'standard', '>= 15', RCLPY_IMAGE),
        *ratio('bus.1mb_vs_dora', large, 'loom', 'dora', '<= 0.9', DORA),
        *ratio('bus.6mb_vs_dora', larger, 'loom', 'dora', '<= 0.9', DORA),
        *(row for name, (peers, outcomes) in contests.items() for row in figures(name, peers, outcomes)),
        *load.measure()]


def ratio(row: str, outcomes: Outcomes, over: str, under: str, bound: str, peer: Peer, of: str = 'p50_us') -> list[Row]:
    """One row, none where the peer could not take part."""
    if over not in outcomes or under not in outcomes:
        return []
    return [Row(row, getattr(outcomes[over], of) / getattr(outcomes[under], of), '', bound, peer.title)]


def figures(exercise: str, peers: tuple[Peer, ...], outcomes: Outcomes) -> Iterator[Row]:
    """What each peer needed, in microseconds."""
    for peer in peers:
        if outcome := outcomes.get(peer.name):
            name = f'bus.{exercise}' + (f'_{peer.name}' if peer.name != 'loom' else '')
            yield Row(f'{name}_us', outcome.p50_us, 'us', peer=peer.title)
            yield Row(f'{name}_p99_us', outcome.p99_us, 'us', peer=peer.title)
