"""Seeing what happens: telemetry, health, inspection."""
