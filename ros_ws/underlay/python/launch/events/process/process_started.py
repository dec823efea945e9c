"""A process has started."""

from .running_process_event import RunningProcessEvent


class ProcessStarted(RunningProcessEvent):
    """Emitted when a process has started."""

    name = 'launch.events.process.ProcessStarted'
