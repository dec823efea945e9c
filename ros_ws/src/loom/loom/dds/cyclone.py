"""Bare DDS through Cyclone: events as bytes on topics, and what others publish (the door of cyclonedds)."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from cyclonedds.builtin import BuiltinDataReader, BuiltinTopicDcpsPublication
from cyclonedds.core import DDSException, GuardCondition, InstanceState, ReadCondition, SampleState, ViewState, WaitSet
from cyclonedds.domain import DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.idl.annotations import final
from cyclonedds.pub import DataWriter
from cyclonedds.qos import Policy, Qos
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic

from loom.core.clock import NANOSECONDS
from loom.core.delivery import Delivery
from loom.core.errors import BusyError, EventError
from loom.supervise.obituary import PREFIX_BYTES

BATCH = 64
EVENT = 'loom_msgs.msg.dds_.Event_'
_ANY = SampleState.Any | ViewState.Any | InstanceState.Any
# What ROS puts before the name of a topic.
ROS_TOPIC = 'rt'
BLOCK_NS = 100_000_000
# A reader's depth counts for all writers of a topic together: with 1, the last of several states is the only one.
LATCHED_DEPTH = 32
CONFIG = 'CYCLONEDDS_URI'
# A busy peer is not taken for a dead one. A writer drops what its history does not hold and waits for no reader.
# Fast DDS understands that an endpoint has ended only where its key comes as a hash, too.
TIMING = ('<CycloneDDS><Domain id="any"><Discovery><LeaseDuration>10s</LeaseDuration><SPDPInterval>300ms</SPDPInterval>'
          '</Discovery><Internal><Watermarks><WhcHigh>64MB</WhcHigh></Watermarks>'
          '<WriterLingerDuration>100ms</WriterLingerDuration><GenerateKeyhash>true</GenerateKeyhash></Internal></Domain>'
          '</CycloneDDS>')
# What ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST is to ROS: no multicast, 32 participants of this host.
LOCALHOST = ('<CycloneDDS><Domain id="any"><General><AllowMulticast>false</AllowMulticast><Interfaces>'
             '<NetworkInterface address="127.0.0.1"/></Interfaces></General><Discovery><ParticipantIndex>auto'
             '</ParticipantIndex><MaxAutoParticipantIndex>32</MaxAutoParticipantIndex><Peers>'
             '<Peer address="127.0.0.1"/></Peers></Discovery></Domain></CycloneDDS>')


class Sample(IdlStruct):
    """An encoded message.

    Cyclone learns the name of its type and no fields: of what does not fit the fields it would drop in silence,
    the bus counts every one and names it.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data

    def serialize(self, *_: Any, **__: Any) -> bytes:
        """The bytes as they are."""
        return self.data

    @classmethod
    def deserialize(cls, data: bytes, *_: Any, **__: Any) -> Sample:
        """A sample of these bytes."""
        return cls(data)

    @classmethod
    def deserialize_key(cls, data: bytes, *_: Any, **__: Any) -> Sample:
        """What comes when a writer ends: no message."""
        return cls(b'')


@lru_cache(maxsize=8)
def _type(name: str) -> type[Sample]:
    @final
    class Named(Sample, typename=name):
        pass
    return Named


class Writer:
    """Writes encoded messages to one topic."""

    def __init__(self, writer: DataWriter[Sample]) -> None:
        self._writer = writer
        self._kind = writer.topic.data_type

    def write(self, data: bytes) -> None:
        """Hands the bytes to every reader; EventError where DDS could not take them, BusyError where not in time."""
        try:
            self._writer.write(self._kind(data))
        except DDSException as error:
            if error.code == DDSException.DDS_RETCODE_TIMEOUT:
                raise BusyError(f'DDS did not take {len(data)} bytes in its time; write them again') from None
            raise EventError(f'DDS did not take {len(data)} bytes: {error}') from None


    def participants(self) -> list[bytes]:
        """Of each reader of the topic, the participant that it belongs to: 12 bytes."""
        found = [self._writer.get_matched_subscription_data(one) for one in self._writer.get_matched_subscriptions()]
        return [end.key.bytes[:PREFIX_BYTES] for end in found if end is not None]


class Reader:
    """Reads encoded messages from one topic."""

    def __init__(self, reader: DataReader[Sample]) -> None:
        self._reader = reader
        self.ready = ReadCondition(reader, _ANY)

    def take(self) -> list[bytes]:
        """What has come, the oldest first, at most 64 messages."""
        return [sample.data for sample in self._reader.take(BATCH) if isinstance(sample, Sample)]


class Participant:
    """One process's place in a DDS domain; readers are closed on the thread that waits."""

    def __init__(self, domain_id: int, local: bool) -> None:
        self._participant = _participant(domain_id, local)
        self._topics: dict[str, Topic[Sample]] = {}
        self._guard = GuardCondition(self._participant)
        self._waits = WaitSet(self._participant)
        self._waits.attach(self._guard)
        self._publications: BuiltinDataReader | None = None

    @property
    def prefix(self) -> bytes:
        """The 12 bytes that the ids of its endpoints begin with."""
        return bytes(self._participant.guid.bytes[:PREFIX_BYTES])

    def writer(self, topic: str, delivery: Delivery, kind: str = EVENT) -> Writer:
        """A new writer of the topic with this resolved ROS name."""
        return Writer(DataWriter(self._participant, self._topic(topic, kind), _offered(delivery)))

    def reader(self, topic: str, delivery: Delivery, kind: str = EVENT) -> Reader:
        """A new reader of the topic with this resolved ROS name; what comes ends `wait`."""
        reader = Reader(DataReader(self._participant, self._topic(topic, kind), _requested(delivery)))
        self._waits.attach(reader.ready)
        return reader

    def remove(self, reader: Reader) -> None:
        """Ends a reader: what comes no longer ends `wait`."""
        self._waits.detach(reader.ready)

    def watch_publications(self) -> None:
        """From now on, `publications` tells who writes events."""
        if self._publications is None:
            self._publications = BuiltinDataReader(self._participant, BuiltinTopicDcpsPublication)
            self._waits.attach(ReadCondition(self._publications, _ANY))

    def publications(self) -> set[str]:
        """The topics of writers of events that appeared since the last call."""
        topics = set()
        # One at a time: a foreign writer that cannot be understood must not hide the others.
        while self._publications is not None and (found := self._publications.take(1)):
            topics |= {end.topic_name[len(ROS_TOPIC):] for end in found if end.type_name == EVENT.replace('.', '::')}
        return topics

    def wait(self, timeout_s: float) -> None:
        """Returns when an event or a writer has come, after `wake`, or after the timeout in seconds."""
        self._waits.wait(round(timeout_s * NANOSECONDS))
        self._guard.take()

    def wake(self) -> None:
        """Ends `wait`, from any thread."""
        self._guard.set(True)

    def close(self) -> None:
        """Leaves the domain, when the writers that it made are gone too."""
        # Cyclone's objects end with the last reference to them.
        del self._publications, self._waits, self._guard, self._topics, self._participant

    def _topic(self, name: str, kind: str) -> Topic[Sample]:
        if name not in self._topics:
            self._topics[name] = Topic(self._participant, ROS_TOPIC + name, _type(kind))
        return self._topics[name]


def _participant(domain_id: int, local: bool) -> DomainParticipant:
    # A Domain made by hand would end with its maker, under all other participants of the process; one that Cyclone
    # makes for the first participant ends with the last, and reads its settings from the environment.
    given = os.environ.get(CONFIG, '')
    os.environ[CONFIG] = ','.join([TIMING, *([LOCALHOST] if local else []), *([given] if given else [])])
    try:
        return DomainParticipant(domain_id)
    finally:
        os.environ[CONFIG] = given
        if not given:
            del os.environ[CONFIG]


def _offered(delivery: Delivery) -> Qos:
    policies = _policies(delivery, delivery.publish_reliable, delivery.depth)
    if delivery.lifespan_s and not delivery.expires_at_reader:
        policies.append(Policy.Lifespan(round(delivery.lifespan_s * NANOSECONDS)))
    if delivery.latched:
        policies.append(Policy.DurabilityService(0, Policy.History.KeepLast(delivery.depth), -1, -1, -1))
    return Qos(*policies)


def _requested(delivery: Delivery) -> Qos:
    depth = max(delivery.depth, LATCHED_DEPTH) if delivery.latched else delivery.depth
    return Qos(*_policies(delivery, delivery.subscribe_reliable, depth))


def _policies(delivery: Delivery, reliable: bool, depth: int) -> list[Any]:
    policies = [
        Policy.Reliability.Reliable(BLOCK_NS) if reliable else Policy.Reliability.BestEffort,
        Policy.Durability.TransientLocal if delivery.latched else Policy.Durability.Volatile,
        Policy.History.KeepLast(depth), Policy.DataRepresentation(use_cdrv0_representation=True)]
    if delivery.deadline_s:
        policies.append(Policy.Deadline(round(delivery.deadline_s * NANOSECONDS)))
    return policies
