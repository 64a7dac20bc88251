"""Results as objects: SEG, SR, Secondary Capture, PDF and JSON, derived from one value.

The room's doors are :func:`engine.reporting.composition.compose_reports`,
:func:`engine.reporting.not_analyzed.compose_not_analyzed` and
:func:`engine.reporting.writing.publish`.
"""
