"""Grids in patient space: orientation, resampling, registration, components."""
