"""Agents that are ready to use."""
