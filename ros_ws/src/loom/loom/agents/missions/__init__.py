"""Missions: agents that have something done and say whether it succeeded."""
