"""Requests to the supervisor as orders to the keeper, and the keeper's reports as messages."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from builtin_interfaces.msg import Time
from loom_msgs.msg import Health
from loom_msgs.srv import ManageNodes, SetMode
from std_srvs.srv import Trigger

from loom.core.delivery import STATE
from loom.core.errors import LoomError
from loom.ros.diagnostics import ERROR, OK, WARN, Part
from loom.ros.node import LoomNode
from loom.ros.worker import Worker
from loom.supervise.link import Link
from loom.supervise.report import REPORT_S, unheard

UNKNOWN_COMMAND, NODE_FAILED = 1, 2
ORDERS = {
    ManageNodes.Request.STARTUP: 'active', ManageNodes.Request.PAUSE: 'paused', ManageNodes.Request.RESUME: 'active',
    ManageNodes.Request.RESET: 'reset', ManageNodes.Request.SHUTDOWN: 'stopped',
    ManageNodes.Request.CONFIGURE: 'paused', ManageNodes.Request.CLEANUP: 'stopped'}
# A keeper that has been silent for so long is stopped or hangs.
SILENT_S = 3 * REPORT_S
MODES = ('active', 'paused', 'safe', 'stopped')
LEVELS = {Health.OK: OK, Health.DEGRADED: WARN, Health.DOWN: ERROR}


def command(number: int) -> str:
    """The order that a ManageNodes command stands for; LoomError for a number that is none."""
    if number not in ORDERS:
        raise LoomError(f'command must be one of 0..{max(ORDERS)}, got {number}', UNKNOWN_COMMAND)
    return ORDERS[number]


def mode(name: str) -> str:
    """The order that brings the robot into a mode; LoomError for an unknown one."""
    if name not in MODES:
        raise LoomError(f'mode must be one of {", ".join(MODES)}, got {name!r}', UNKNOWN_COMMAND)
    return name


def health_message(report: dict[str, Any], stamp: Time) -> Health:
    """A report of the keeper, as it is published."""
    states = report['states']
    return Health(stamp=stamp, level=report['level'], mode=report['mode'], nodes=list(states),
                  states=list(states.values()), restarts=[report['restarts'].get(node, 0) for node in states],
                  message=report['message'])


class SupervisorServices:
    """Passes orders on, one after the other, and publishes what the keeper observes."""

    def __init__(self, node: LoomNode, link: Link, order_timeout_s: float, report_every_s: float) -> None:
        self._node = node
        self._link = link
        self._timeout_s = order_timeout_s
        self._report: dict[str, Any] = {}
        self._heard_s = math.inf
        self._worker = Worker(node, 'supervision')
        self._health = node.publisher(Health, 'loom/health', STATE)
        node.serve(ManageNodes, 'supervisor/manage_nodes', self._manage)
        node.serve(SetMode, 'supervisor/set_mode', self._set_mode)
        node.serve(Trigger, 'supervisor/is_active', self._is_active)
        node.every(report_every_s, self._publish, steady=True)
        node.every(REPORT_S, self._mind_silence, steady=True)
        link.on_report(lambda report: node.call_soon(partial(self._hear, report)))

    def close(self) -> None:
        """Hears no more reports, and ends the thread that waits for orders."""
        self._link.on_report(lambda report: None)
        self._worker.close()

    def parts(self) -> Iterable[Part]:
        """The mode and, of each node that is not well, what happened to it."""
        report = self._report
        if not report:
            yield Part('mode', WARN, 'no report from the keeper yet')
            return
        yield Part('mode', LEVELS[report['level']], report['message'] or report['mode'], {'mode': report['mode']})
        for node, count in report['restarts'].items():
            given_up = node in report['given_up']
            yield Part(node, ERROR if given_up else WARN, 'given up' if given_up else 'was started again',
                       {'failures': str(count)})

    def _hear(self, report: dict[str, Any]) -> None:
        self._heard_s = time.monotonic()
        self._take(report)

    def _mind_silence(self) -> None:
        if time.monotonic() - self._heard_s > SILENT_S:
            self._heard_s = math.inf
            self._take(unheard(self._report, SILENT_S))
            self._node.get_logger().error(self._report['message'])

    def _take(self, report: dict[str, Any]) -> None:
        before, self._report = self._report, report
        failed = [node for node, count in report['restarts'].items() if count > before.get('restarts', {}).get(node, 0)]
        if failed or report['given_up'] != before.get('given_up', []):
            self._node.get_logger().warning(report['message'])
        if report != before:
            self._publish()

    def _publish(self) -> None:
        if self._report:
            self._health.publish(health_message(self._report, self._node.get_clock().now().to_msg()))

    async def _manage(self, request: Any, response: Any) -> Any:
        return await self._obey(command(request.command), response)

    async def _set_mode(self, request: Any, response: Any) -> Any:
        return await self._obey(mode(request.mode), response)

    async def _obey(self, order: str, response: Any) -> Any:
        try:
            await self._worker.submit(lambda: self._link.order(order, self._timeout_s))
            response.success = True
        except LoomError as error:
            response.success = False
            response.error_code, response.error_msg = error.code or NODE_FAILED, str(error)
        return response

    def _is_active(self, request: Any, response: Any) -> Any:
        response.success = self._report.get('mode') == 'active'
        response.message = self._report.get('message') or self._report.get('mode', 'unknown')
        return response
