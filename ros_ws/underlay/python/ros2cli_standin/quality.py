"""Quality of service for the command line: options, and the choice that fits what others offer."""

import argparse
from collections.abc import Sequence
from typing import Any

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSPresetProfiles,
    QoSProfile,
    ReliabilityPolicy,
)

RELIABILITY = {
    'reliable': ReliabilityPolicy.RELIABLE,
    'best_effort': ReliabilityPolicy.BEST_EFFORT,
    'system_default': ReliabilityPolicy.SYSTEM_DEFAULT,
}
DURABILITY = {
    'volatile': DurabilityPolicy.VOLATILE,
    'transient_local': DurabilityPolicy.TRANSIENT_LOCAL,
    'system_default': DurabilityPolicy.SYSTEM_DEFAULT,
}
HISTORY = {
    'keep_last': HistoryPolicy.KEEP_LAST,
    'keep_all': HistoryPolicy.KEEP_ALL,
    'system_default': HistoryPolicy.SYSTEM_DEFAULT,
}
LIVELINESS = {
    'automatic': LivelinessPolicy.AUTOMATIC,
    'manual_by_topic': LivelinessPolicy.MANUAL_BY_TOPIC,
    'system_default': LivelinessPolicy.SYSTEM_DEFAULT,
}
PROFILES = {profile.name.lower(): profile.value for profile in QoSPresetProfiles}


def add_quality_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the --qos-... options."""
    parser.add_argument('--qos-profile', choices=sorted(PROFILES), help='a preset')
    parser.add_argument('--qos-depth', type=int, help='queue size')
    parser.add_argument('--qos-history', choices=sorted(HISTORY))
    parser.add_argument('--qos-reliability', choices=sorted(RELIABILITY))
    parser.add_argument('--qos-durability', choices=sorted(DURABILITY))
    parser.add_argument('--qos-liveliness', choices=sorted(LIVELINESS))


def override(profile: QoSProfile, args: argparse.Namespace) -> QoSProfile:
    """Return the profile changed by the options that were given."""
    if args.qos_profile:
        profile = _copy(PROFILES[args.qos_profile])
    if args.qos_depth is not None and args.qos_depth >= 0:
        profile.depth = args.qos_depth
    if args.qos_history:
        profile.history = HISTORY[args.qos_history]
    if args.qos_reliability:
        profile.reliability = RELIABILITY[args.qos_reliability]
    if args.qos_durability:
        profile.durability = DURABILITY[args.qos_durability]
    if args.qos_liveliness:
        profile.liveliness = LIVELINESS[args.qos_liveliness]
    return profile


def _copy(profile: QoSProfile) -> QoSProfile:
    depth = profile.depth or 10
    return QoSProfile(depth=depth, reliability=profile.reliability, durability=profile.durability)


def matching(offered: Sequence[Any], depth: int = 10) -> QoSProfile:
    """Return the strictest profile that matches every one of the offered endpoints."""
    reliable = all(info.qos_profile.reliability == ReliabilityPolicy.RELIABLE for info in offered)
    latched = all(info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for info in offered)
    if not offered:
        return QoSProfile(depth=depth)
    return QoSProfile(
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def publishing(args: argparse.Namespace) -> QoSProfile:
    """Return the profile to publish with: reliable, transient local unless asked otherwise."""
    default = QoSProfile(
        depth=10, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
    )
    return override(default, args)
