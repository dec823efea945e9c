"""What is said of a DDS participant that is gone, byte for byte, and to whom."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from loom.supervise.obituary import DOMAIN_GAIN, PARTICIPANT_GAIN, PORT_BASE, UNICAST_OFFSET, farewell, say_gone

PREFIX = bytes(range(1, 13))
# A domain that no test has ROS nodes in: its ports are below the ephemeral ones.
DOMAIN = 97


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A participant's port for discovery, the fourth of this machine."""
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(('127.0.0.1', PORT_BASE + DOMAIN_GAIN * DOMAIN + UNICAST_OFFSET + 3 * PARTICIPANT_GAIN))
        listener.settimeout(5.0)
        yield listener


def test_the_announcement_is_disposed_of() -> None:
    message = farewell(PREFIX)
    assert message[:20] == b'RTPS\x02\x03\x01\x0f' + PREFIX
    submessage, flags, length = message[20], message[21], int.from_bytes(message[22:24], 'little')
    assert (submessage, flags, length) == (0x15, 0b1011, len(message) - 24)
    assert message[28:36] == b'\x00\x01\x00\xc7' + b'\x00\x01\x00\xc2', 'from announcer to announcements'
    guid, end = PREFIX + b'\x00\x00\x01\xc1', b'\x01\x00\x00\x00'
    inline_qos = b'\x70\x00\x10\x00' + guid + b'\x71\x00\x04\x00' + b'\x00\x00\x00\x03' + end
    assert message[44:] == inline_qos + b'\x00\x03\x00\x00' + b'\x50\x00\x10\x00' + guid + end


def test_each_participant_of_the_machine_and_domain_is_told(peer: socket.socket) -> None:
    say_gone(PREFIX, DOMAIN + 1)
    say_gone(PREFIX, DOMAIN)
    assert peer.recv(1024) == farewell(PREFIX)
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(1024)


def test_the_domain_is_that_of_the_environment(peer: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', str(DOMAIN))
    say_gone(PREFIX)
    assert peer.recv(1024) == farewell(PREFIX)


def test_nobody_is_told_where_discovery_is_off(peer: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'off')
    say_gone(PREFIX, DOMAIN)
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(1024)


def test_a_prefix_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match='12 bytes, this has 16'):
        say_gone(bytes(16), DOMAIN)
