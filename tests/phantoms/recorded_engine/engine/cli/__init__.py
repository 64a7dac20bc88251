"""Stands in for engine.cli."""
