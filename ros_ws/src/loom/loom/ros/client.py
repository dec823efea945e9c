"""RobotClient: a short-lived guest on the robot's graph, for the command line and for tests."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from ament_index_python.packages import get_package_share_directory
from lifecycle_msgs.srv import GetState
from loom_msgs.msg import Accounts, Directory, Health
from rclpy.exceptions import InvalidNamespaceException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.task import Future
from rclpy.validate_namespace import validate_namespace

from loom.core.books import ACCOUNTS
from loom.core.delivery import STATE
from loom.core.errors import ConfigError, DeadlineError
from loom.core.event import Event
from loom.core.topics import topic_of
from loom.ros.bus import RosBus
from loom.ros.capability_client import CapabilityClient
from loom.ros.clock import RosClock
from loom.ros.participant import process_context
from loom.ros.process import new_executor, spin_once
from loom.ros.qos import subscription_profile
from loom.ros.service_call import call

POLL_S = 0.02
STEADY_S = 0.5
# A lost packet of discovery is repaired after 3 s.
DISCOVERY_S = 7.0
MAX_EVENTS = 1000


class RobotClient:
    """Sees nodes, agents and events of one robot and speaks to it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.bus = RosBus(node)
        self._making = threading.Lock()
        self._caller: CapabilityClient | None = None
        self.clock = RosClock(node.get_clock())

    def nodes(self) -> list[str]:
        """Full names of the nodes in this namespace, hidden ones left out."""
        base = self.node.get_namespace().rstrip('/') + '/'
        found = {(space.rstrip('/') + '/' + name) for name, space in self.node.get_node_names_and_namespaces()
                 if not name.startswith('_')}
        return sorted(name for name in found if name.startswith(base))

    def state(self, node: str, timeout_s: float) -> str:
        """Lifecycle state of a node; DeadlineError where it doesn't answer in time."""
        client: Any = self.node.create_client(GetState, f'{node}/get_state')
        try:
            return str(call(client, GetState.Request(), timeout_s).current_state.label)
        finally:
            self.node.destroy_client(client)

    def latched(self, message_type: type[Any], topic: str, timeout_s: float) -> list[Any]:
        """What the publishers of a latched topic hold, one message each; waits until the first came."""
        arrived: queue.Queue[Any] = queue.Queue(MAX_EVENTS)
        reader = self.node.create_subscription(message_type, topic, arrived.put_nowait, subscription_profile(STATE))
        try:
            wait_for(lambda: arrived.qsize() >= max(1, self.node.count_publishers(topic)), timeout_s,
                     f'{self.node.resolve_topic_name(topic)} was not published')
        except DeadlineError:
            if arrived.empty():
                raise
        finally:
            self.node.destroy_subscription(reader)
        return [arrived.get() for _ in range(arrived.qsize())]

    def directory(self, timeout_s: float = DISCOVERY_S) -> list[Directory]:
        """The agents of each host."""
        return self.latched(Directory, 'loom/directory', timeout_s)

    def health(self, timeout_s: float = DISCOVERY_S) -> Health:
        """The supervisor's newest report."""
        return self.latched(Health, 'loom/health', timeout_s)[-1]

    @contextmanager
    def newest_health(self) -> Iterator[deque[Health]]:
        """Holds the supervisor's newest report, by one subscription for as long as somebody waits for a change."""
        newest: deque[Health] = deque(maxlen=1)
        reader = self.node.create_subscription(Health, 'loom/health', lambda report: newest.append(report),
                                               subscription_profile(STATE))
        try:
            yield newest
        finally:
            self.node.destroy_subscription(reader)

    def accounts(self, timeout_s: float = DISCOVERY_S) -> list[Accounts]:
        """The books of each bus."""
        self._wait_for_publishers(ACCOUNTS, timeout_s)
        return self.latched(Accounts, ACCOUNTS, timeout_s)

    def _wait_for_publishers(self, topic: str, timeout_s: float) -> None:
        """Returns when no more publishers of a topic were found for half a second."""
        deadline, found, since = time.monotonic() + timeout_s, 0, time.monotonic()
        while (now := time.monotonic()) < deadline and (not found or now - since < STEADY_S):
            number = self.node.count_publishers(topic)
            if number != found:
                found, since = number, now
            time.sleep(POLL_S)

    def events(self, pattern: str) -> queue.Queue[Event]:
        """A queue that fills with the events that match; a full one drops the newest."""
        arrived: queue.Queue[Event] = queue.Queue(MAX_EVENTS)

        def keep(event: Event) -> None:
            if not arrived.full():
                arrived.put_nowait(event)
        self.bus.subscribe(pattern, keep)
        return arrived

    def publish(self, event_type: str, data: Any, timeout_s: float = 5.0) -> Event:
        """Publishes an event once somebody listens; DeadlineError where nobody does."""
        self.bus.advertise(event_type)
        wait_for(lambda: self.node.count_subscribers(topic_of(event_type)) > 0, timeout_s,
                 f'nobody listens to {event_type}; is the robot up (see: loom list)?')
        event = Event.create(event_type, data, source='loom', sender='loom', stamp_ns=self.clock.now_ns())
        self.bus.publish(event)
        return event

    def invoke(self, capability: str, arguments: dict[str, Any], timeout_s: float, call_id: str = '') -> Any:
        """What a capability gives, also where the broker is started anew meanwhile; CapabilityError says why not.

        DeadlineError a second after `timeout_s` at the latest. It is carried out once for each `call_id`.
        """
        with self._making:
            self._caller = self._caller or CapabilityClient(self.node)
        return self._caller.call(capability, arguments, timeout_s, call_id)

    def close(self) -> None:
        """Frees what it made; after the node was spun for the last time."""
        if self._caller is not None:
            self._caller.close()
        self.bus.close()

    def follow_clock(self, timeout_s: float = 2.0) -> None:
        """Takes the simulator's time where there is one."""
        deadline = time.monotonic() + timeout_s
        while self.node.count_publishers('clock') == 0 and time.monotonic() < deadline:
            time.sleep(POLL_S)
        if self.node.count_publishers('clock'):
            self.node.set_parameters([Parameter('use_sim_time', value=True)])
            wait_for(lambda: self.clock.now_ns() > 0, timeout_s, 'the clock topic stands still')


@contextmanager
def robot_client(namespace: str = '') -> Iterator[RobotClient]:
    """A client that is spun in a thread of its own until the end of the block."""
    try:
        validate_namespace('/' + namespace.strip('/'))
    except InvalidNamespaceException:
        raise ConfigError(
            f'a namespace must be words of letters, digits and _ joined by /, got {namespace!r}') from None
    # The profile of the launch files: a guest that announces itself seldom is found late.
    os.environ.setdefault('FASTDDS_DEFAULT_PROFILES_FILE',
                          f'{get_package_share_directory("loom")}/config/dds/fastdds.xml')
    context = process_context()
    arguments = ['--ros-args', '-r', '/clock:=clock'] if namespace else None
    node = rclpy.create_node(f'_loom_{os.getpid()}', namespace=namespace.strip('/'), context=context,
                             cli_args=arguments)
    executor = new_executor(context)
    executor.add_node(node)
    done: Future[Any] = Future()

    def spin() -> None:
        while not done.done():
            spin_once(executor)
    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    client = RobotClient(node)
    try:
        yield client
    finally:
        done.set_result(None)
        thread.join(2.0)
        client.close()
        node.destroy_node()
        executor.shutdown(timeout_sec=0.5)


def wait_for(condition: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
    """Returns when the condition holds; DeadlineError with the text where it never did."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise DeadlineError(f'{otherwise} within {timeout_s:.1f} s')
        time.sleep(POLL_S)
