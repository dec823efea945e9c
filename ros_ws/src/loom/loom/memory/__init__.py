"""What is kept: state, vectors, the event log, record and replay."""
