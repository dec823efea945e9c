"""Delivery classes as ROS QoS profiles."""

from __future__ import annotations

from rclpy.duration import Duration
from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy

from loom.core.delivery import Delivery

# A reader's depth counts for all publishers of a topic together: with 1, the last of several states is the only one.
LATCHED_DEPTH = 32


def publisher_profile(delivery: Delivery) -> QoSProfile:
    """What a publisher of this class offers."""
    profile = _profile(delivery, delivery.publish_reliable)
    if delivery.lifespan_s and not delivery.expires_at_reader:
        profile.lifespan = Duration(seconds=delivery.lifespan_s)
    return profile


def subscription_profile(delivery: Delivery) -> QoSProfile:
    """What a subscription of this class asks for."""
    profile = _profile(delivery, delivery.subscribe_reliable)
    if delivery.latched:
        profile.depth = max(delivery.depth, LATCHED_DEPTH)
    return profile


def _profile(delivery: Delivery, reliable: bool) -> QoSProfile:
    profile = QoSProfile(
        depth=delivery.depth,
        history=QoSHistoryPolicy.KEEP_LAST,
        reliability=QoSReliabilityPolicy.RELIABLE if reliable else QoSReliabilityPolicy.BEST_EFFORT,
        durability=QoSDurabilityPolicy.TRANSIENT_LOCAL if delivery.latched else QoSDurabilityPolicy.VOLATILE)
    if delivery.deadline_s:
        profile.deadline = Duration(seconds=delivery.deadline_s)
    if delivery.lease_s:
        profile.liveliness_lease_duration = Duration(seconds=delivery.lease_s)
    return profile
