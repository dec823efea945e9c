"""A small ROS node of the launch itself, which sees and asks for transitions; on a thread of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from launch.launch_context import LaunchContext
from launch.logging import get_logger

SPIN_S = 0.1


class LifecycleWatch:
    """Watches lifecycle nodes and calls their services; made once a launch, where it has a lifecycle node."""

    def __init__(self, context: LaunchContext) -> None:
        """Join the ROS network; everything ROS is imported only now."""
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.signals import SignalHandlerOptions

        self._loop = context.loop
        self._logger = get_logger('launch_ros')
        self._ros = rclpy.Context()
        rclpy.init(args=[], context=self._ros, signal_handler_options=SignalHandlerOptions.NO)
        self._node = rclpy.create_node(
            f'launch_ros_{os.getpid()}', context=self._ros, use_global_arguments=False, start_parameter_services=False
        )
        self._executor = SingleThreadedExecutor(context=self._ros)
        self._executor.add_node(self._node)
        self._ending = False
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def watch(self, node_name: str, seen: Callable[[Any], None]) -> Callable[[int], None]:
        """Call ``seen(msg)`` on the launch's loop for each transition; returns what asks for a transition."""
        from lifecycle_msgs.msg import TransitionEvent  # type: ignore[import-untyped,unused-ignore]
        from lifecycle_msgs.srv import ChangeState  # type: ignore[import-untyped,unused-ignore]

        def received(message: Any) -> None:
            self._loop.call_soon_threadsafe(lambda: seen(message))

        self._node.create_subscription(TransitionEvent, f'{node_name}/transition_event', received, 10)
        client: Any = self._node.create_client(ChangeState, f'{node_name}/change_state')
        return lambda transition: self._ask(node_name, client, transition)

    def close(self) -> None:
        """Leave the ROS network."""
        self._ending = True
        self._thread.join()
        self._executor.shutdown()
        # With its last node the participant would go, and Fast DDS does not always survive that (Fast-DDS#6513): a
        # node in use stays, without its topics, until the process ends.
        self._node.handle.__enter__()
        self._node.destroy_node()
        self._ros.try_shutdown()

    def _spin(self) -> None:
        while not self._ending:
            self._executor.spin_once(timeout_sec=SPIN_S)

    def _ask(self, node_name: str, client: Any, transition: int) -> None:
        """Ask for a transition as soon as the service is there."""
        from lifecycle_msgs.srv import ChangeState  # type: ignore[import-untyped,unused-ignore]

        request = ChangeState.Request()
        request.transition.id = transition

        def answered(future: Any) -> None:
            if not future.result().success:
                self._logger.error(f'node {node_name} has refused transition {transition}')

        def call_when_ready() -> None:
            if client.service_is_ready():
                timer.cancel()
                client.call_async(request).add_done_callback(answered)

        timer = self._node.create_timer(0.05, call_when_ready)


def lifecycle_watch(context: LaunchContext) -> LifecycleWatch:
    """Return the watch of this launch, made on first use."""
    values = context.get_locals_as_dict()
    if 'lifecycle_watch' not in values:
        watch = LifecycleWatch(context)
        context.extend_globals({'lifecycle_watch': watch})
        context.cleanups.append(watch.close)
    return context.get_locals_as_dict()['lifecycle_watch']  # type: ignore[no-any-return]
