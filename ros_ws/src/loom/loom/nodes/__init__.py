"""One file per program; wiring only."""
