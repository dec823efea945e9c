"""Something that happened."""


class Event:
    """What event handlers match and receive."""

    name = 'launch.Event'
