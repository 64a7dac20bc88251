"""Lesion instances, their measurements, and the tumor burden they add up to."""

from engine.lesions.burden import tumor_burden
from engine.lesions.stage import find_lesions, measure_drawn

__all__ = ["find_lesions", "measure_drawn", "tumor_burden"]
