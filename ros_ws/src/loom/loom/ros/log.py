"""Log lines that say in which trace they were written, from ROS loggers and from Python's."""

from __future__ import annotations

import logging
import os
from typing import Any

from rclpy.impl import rcutils_logger
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.logging import get_logger

from loom.core.trace import current_trace

# Throttling goes by the place that logs: this file is to be looked through, as rclpy's own are.
rcutils_logger._internal_callers.append(os.path.realpath(__file__))


class TracedLogger(RcutilsLogger):
    """A ROS logger whose lines end with the trace in which they were written."""

    def log(self, message: Any, severity: Any, name: str | None = None, **filters: Any) -> bool:
        """Logs with the severity, unless a filter holds it back."""
        return super().log(traced(str(message)), severity, name, **filters)


class RosHandler(logging.Handler):
    """Sends what Python code logs to the ROS logger of the same name."""

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record; the severities of ROS are those of Python."""
        severity = min(max(record.levelno // 10, 1), 5) * 10
        get_logger(record.name).log(traced(self.format(record)), severity)


def traced(message: str) -> str:
    """The message with the trace in which this is called, if any."""
    trace = current_trace()
    return f'{message} [trace_id={trace}]' if trace else message


def log_through_ros() -> None:
    """Lets everything that Loom's plain Python logs be seen where the nodes log, by the same log level."""
    logger = logging.getLogger('loom')
    if not any(isinstance(handler, RosHandler) for handler in logger.handlers):
        logger.addHandler(RosHandler())
    logger.setLevel(max(int(get_logger('loom').get_effective_level()), logging.DEBUG))
