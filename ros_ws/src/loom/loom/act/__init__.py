"""Doing things: capabilities, broker, tools, the safety kernel."""
