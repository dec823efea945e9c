"""The errors of a launch file or of its arguments, shown as one line without a traceback."""


class LaunchError(RuntimeError):
    """A launch file, or what was given to it, is wrong; the text says what to do."""
