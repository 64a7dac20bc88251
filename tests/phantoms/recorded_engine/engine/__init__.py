"""Stands in for the engine: the same command, a recorded result."""
