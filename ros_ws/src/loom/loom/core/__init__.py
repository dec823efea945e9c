"""The words all parts share: events, delivery, clock, configuration, errors."""
