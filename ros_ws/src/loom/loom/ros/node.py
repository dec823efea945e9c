"""LoomNode: the lifecycle node that every program of Loom is."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter_service import ParameterService
from rclpy.publisher import Publisher
from rclpy.qos_overriding_options import QoSOverridingOptions

from loom.core.config import NodeConfig
from loom.core.delivery import REALTIME, Delivery
from loom.core.errors import ConfigError, LoomError
from loom.core.event import Event
from loom.core.trace import handling
from loom.ros.bus import RosBus
from loom.ros.clock import RosClock
from loom.ros.dds_events import Report
from loom.ros.diagnostics import ERROR, OK, WARN, Diagnostics, Part
from loom.ros.guarded import GuardedNode
from loom.ros.heads import is_large
from loom.ros.log import TracedLogger
from loom.ros.parameters import Parameters
from loom.ros.qos import publisher_profile, subscription_profile
from loom.ros.shared_publisher import SharedPublisher
from loom.ros.shared_subscription import SharedSubscription

__all__ = ['ERROR', 'OK', 'WARN', 'LoomNode', 'Part']

Undo = Callable[[], Any]


class LoomNode(GuardedNode):
    """A program: subclasses say in `configure` what they publish, hear, serve and repeat.

    What they hear, serve and repeat exists only while the node is active.
    """

    Config: type[NodeConfig] = NodeConfig

    def __init__(self, **options: Any) -> None:
        super().__init__(options.pop('node_name', '') or type(self).__module__.rsplit('.', 1)[-1], **options)
        self._serves_parameters = options.get('start_parameter_services', True)
        self._logger = TracedLogger(self.get_logger().name)
        self._settings = Parameters(self, self.Config)
        self.config: Any = self._settings.read()
        self.clock_source = RosClock(self.get_clock())
        self.bus = RosBus(self)
        self._active_parts: list[Callable[[], Undo]] = []
        self._undo_active: list[Undo] = []
        self._undo_configured: list[Undo] = []
        self._shared: list[SharedSubscription] = []
        self._allocated = False
        self._health = Diagnostics(self, self._parts)
        self.stopped_because = ''
        self.misconfigured = False

    # --- what subclasses say -----------------------------------------------------------------

    def configure(self) -> None:
        """Allocates; raises LoomError where that is impossible."""

    def activate(self) -> None:
        """Starts what is not a subscription, service, action or timer."""

    def deactivate(self) -> None:
        """Stops what `activate` started."""

    def cleanup(self) -> None:
        """Frees what `configure` allocated."""

    def diagnose(self) -> Iterable[Part]:
        """Rates, depths and states for /diagnostics."""
        return ()

    def fault(self) -> str:
        """Why this node must be started anew, asked for ten times a second; empty: it works."""
        return ''

    # --- what subclasses use -------------------------------------------------------------------

    def publisher(self, message_type: type[Any], topic: str,
                  delivery: Delivery) -> Publisher[Any] | SharedPublisher:
        """A publisher that lives until cleanup; large messages go through shared memory too."""
        if is_large(message_type):
            shared = SharedPublisher(self, message_type, topic, delivery)
            self._undo_configured.append(shared.destroy)
            return shared
        publisher = self.create_publisher(message_type, topic, publisher_profile(delivery),
                                          qos_overriding_options=QoSOverridingOptions.with_default_policies())
        self._undo_configured.append(partial(self.destroy_publisher, publisher))
        return publisher

    def subscribe(self, message_type: type[Any], topic: str, callback: Callable[[Any], None],
                  delivery: Delivery) -> None:
        """Hears a topic while active; large messages come through shared memory where that is possible."""
        def start_shared() -> Undo:
            shared = SharedSubscription(self, message_type, topic, self._guarded(callback), delivery)
            self._shared.append(shared)

            def end() -> None:
                self._shared.remove(shared)
                shared.destroy()
            return end

        def start() -> Undo:
            subscription = self.create_subscription(
                message_type, topic, self._guarded(callback), subscription_profile(delivery),
                qos_overriding_options=QoSOverridingOptions.with_default_policies())
            return partial(self.destroy_subscription, subscription)
        self._while_active(start_shared if is_large(message_type) else start)

    def every(self, period_s: float, callback: Callable[[], None], steady: bool = False) -> None:
        """Repeats while active, on the node clock or, with `steady`, on the monotonic one."""
        def start() -> Undo:
            timer = self.create_timer(period_s, self._guarded_call(callback), clock=self._steady if steady else None)
            return partial(self.destroy_timer, timer)
        self._while_active(start)

    def serve(self, service_type: type[Any], name: str, callback: Callable[[Any, Any], Any]) -> None:
        """Answers a service while active."""
        def start() -> Undo:
            service = self.create_service(service_type, name, self._answering(callback))
            return partial(self.destroy_service, service)
        self._while_active(start)

    def serve_action(self, action_type: type[Any], name: str, execute: Callable[[Any], Any]) -> None:
        """Runs an action while active; goals are accepted, cancelling is allowed."""
        def start() -> Undo:
            server = ActionServer(self, action_type, name, execute_callback=execute,
                                  goal_callback=lambda _: GoalResponse.ACCEPT,
                                  cancel_callback=lambda _: CancelResponse.ACCEPT)
            return server.destroy
        self._while_active(start)

    def listen(self, pattern: str, handler: Callable[[Event], None],
               delivery: Delivery = REALTIME) -> None:
        """Hears events of the bus while active."""
        name = f'loom.{self.get_name()}.handle'

        def handle(event: Event) -> None:
            with handling(name, event.traceparent, event.tracestate, event.type, event):
                handler(event)
        self._while_active(lambda: self.bus.subscribe(pattern, handle, delivery).close)

    def serve_parameters(self) -> None:
        """Starts the parameter services of a node that was made without them."""
        if not self._serves_parameters:
            self._serves_parameters = True
            self._parameter_service = ParameterService(self)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Runs a function on the executor's thread, from any thread."""
        if self.executor is not None:
            self.executor.create_task(self._guarded_call(function))

    # --- lifecycle -----------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Reads the parameters and configures."""
        def step() -> None:
            self.config = self._settings.read()
            self._allocated = True
            self.configure()
        return self._transition('configure', step, self._release)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Starts everything that lives while active."""
        def step() -> None:
            self.activate()
            self._undo_active.append(self.deactivate)
            for start in self._active_parts:
                self._undo_active.append(start())
        return self._transition('activate', step, self._stop)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Ends everything that lives while active."""
        return self._transition('deactivate', self._stop, self._stop)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Frees everything."""
        return self._transition('cleanup', self._release, self._release)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Ends and frees everything."""
        def step() -> None:
            self._stop()
            self._release()
        return self._transition('shutdown', step, self._release)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Goes back to unconfigured, so that it can be tried again."""
        return self.on_shutdown(state)

    def end(self) -> None:
        """Stops and frees everything, whatever the state."""
        self._stop()
        self._release()
        self.bus.close()

    def dds_changed(self, report: Report) -> None:
        """Something is wrong with a topic: it is logged, an event, and part of the diagnostics at once."""
        self.get_logger().warning(report.text)
        self.bus.publish(Event.create(
            'health.dds', {'kind': report.kind, 'topic': report.topic, 'policy': report.policy},
            source=self.get_name(), sender=self.get_name(), stamp_ns=self.clock_source.now_ns()))
        self.call_soon(self._health.publish)

    # --- inside --------------------------------------------------------------------------------

    def _while_active(self, start: Callable[[], Undo]) -> None:
        self._active_parts.append(start)

    def _transition(self, name: str, step: Callable[[], None], undo: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except Exception as error:
            self.stopped_because = f'{name}: {error}'
            self.misconfigured = isinstance(error, ConfigError)
            self.get_logger().error(f'{name} failed: {error}')
            if not isinstance(error, LoomError):
                self.get_logger().error(traceback.format_exc())
            undo()
            return TransitionCallbackReturn.FAILURE
        self.stopped_because, self.misconfigured = '', False
        self.get_logger().info(f'{name} done')
        self._health.publish()
        return TransitionCallbackReturn.SUCCESS

    def _stop(self) -> None:
        running, self._undo_active = self._undo_active, []
        for undo in reversed(running):
            self._guarded_call(undo)()

    def _release(self) -> None:
        configured = [*self._undo_configured, *([self.cleanup] if self._allocated else [])]
        self._undo_configured, self._active_parts, self._allocated = [], [], False
        for undo in reversed(configured):
            self._guarded_call(undo)()

    def _parts(self) -> Iterable[Part]:
        state = cast(Any, self._state_machine).current_state[1]
        level = ERROR if self.stopped_because else OK if state == 'active' else WARN
        yield Part('lifecycle', level, self.stopped_because or state, {'state': state})
        if self._failures:
            yield Part('callbacks', WARN, self._last_failure, {'failures': str(self._failures)})
        yield from self.dds.parts()
        if state == 'active':
            counts = self.bus.counts()
            if counts:
                yield Part('bus', OK, '', {reason: str(count) for reason, count in counts.items()})
            for large in self._shared:
                yield Part(f'large {large.topic_name}', OK, large.refusal, {k: str(n) for k, n in large.counts.items()})
            try:
                yield from self.diagnose()
            except Exception as error:
                self._failed(error)
                yield Part('diagnose', ERROR, str(error))
