"""Which model answers, and asking it."""
