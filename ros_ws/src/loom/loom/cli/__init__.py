"""The loom command, one file per verb."""
