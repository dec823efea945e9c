"""Tells all DDS participants that one is gone, where it could not or should not say so itself.

Without this, others hold on to a participant that was killed until its lease is over. What is sent is what a
participant says when it leaves: its own announcement, disposed of (DDSI-RTPS 2.5, 8.5.3.2 and 9.6.3.9).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

# DDSI-RTPS 2.5, 9.6.2.3: how a domain's ports are numbered.
PORT_BASE, DOMAIN_GAIN, PARTICIPANT_GAIN, UNICAST_OFFSET = 7400, 250, 2, 10
PARTICIPANTS = 120
GROUP = '239.255.0.1'
PREFIX_BYTES = 12
HEADER, VENDOR = b'RTPS\x02\x03', b'\x01\x0f'
PARTICIPANT, ANNOUNCER, READER = b'\x00\x00\x01\xc1', b'\x00\x01\x00\xc2', b'\x00\x01\x00\xc7'
DATA, LITTLE_ENDIAN, INLINE_QOS, KEY_ONLY = 0x15, 0x01, 0x02, 0x08
KEY_HASH, STATUS_INFO, PARTICIPANT_GUID, SENTINEL = 0x70, 0x71, 0x50, 0x01
DISPOSED_UNREGISTERED = b'\x00\x00\x00\x03'
PL_CDR_LE = b'\x00\x03\x00\x00'
# Higher than any that the participant has used, so that nothing it said earlier counts any more.
LAST_NUMBER = struct.pack('<iI', 0, 0x7fffffff)


def say_gone(participant: bytes, domain: int | None = None) -> None:
    """Says that a participant is gone, to all of its domain that the discovery range of the environment reaches.

    `participant` is the 12 bytes that the ids of all its endpoints begin with. The domain is that of the environment
    where none is given. Nothing is said where the range is OFF.
    """
    if len(participant) != PREFIX_BYTES:
        raise ValueError(f'a participant has an id of {PREFIX_BYTES} bytes, this has {len(participant)}')
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET').upper()
    if reach == 'OFF':
        return
    base = PORT_BASE + DOMAIN_GAIN * (int(os.environ.get('ROS_DOMAIN_ID', '0')) if domain is None else domain)
    message = farewell(participant)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(PARTICIPANTS):
            # A port that nobody has makes the next send fail.
            with suppress(OSError):
                sender.sendto(message, ('127.0.0.1', base + UNICAST_OFFSET + PARTICIPANT_GAIN * number))
        if reach != 'LOCALHOST':
            for index in _interfaces():
                with suppress(OSError):
                    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack('4x4xi', index))
                    sender.sendto(message, (GROUP, base))


def farewell(participant: bytes) -> bytes:
    """The datagram that a participant says when it leaves."""
    guid = participant + PARTICIPANT
    qos = _parameter(KEY_HASH, guid) + _parameter(STATUS_INFO, DISPOSED_UNREGISTERED) + _parameter(SENTINEL, b'')
    key = PL_CDR_LE + _parameter(PARTICIPANT_GUID, guid) + _parameter(SENTINEL, b'')
    body = struct.pack('<HH', 0, 16) + READER + ANNOUNCER + LAST_NUMBER + qos + key
    flags = LITTLE_ENDIAN | INLINE_QOS | KEY_ONLY
    return HEADER + VENDOR + participant + struct.pack('<BBH', DATA, flags, len(body)) + body


def _parameter(name: int, value: bytes) -> bytes:
    return struct.pack('<HH', name, len(value)) + value


def _interfaces() -> Iterator[int]:
    with suppress(OSError):
        for index, _ in socket.if_nameindex():
            yield index
