"""The order of the stages, nothing else."""

from engine.pipeline.analysis import analyze, scan
from engine.pipeline.opening import AnalysisSettings, OpenedModel, open_model
from engine.pipeline.stopwatch import Stopwatch

__all__ = ["AnalysisSettings", "OpenedModel", "Stopwatch", "analyze", "open_model", "scan"]
