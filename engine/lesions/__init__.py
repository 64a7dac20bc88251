"""Lesion instances, their measurements, and the tumor burden they add up to."""

from engine.lesions.burden import tumor_burden
from engine.lesions.stage import find_lesions

__all__ = ["find_lesions", "tumor_burden"]
