"""Prognosis: survival predictions from ONNX risk packages, with their limits (issue 6)."""
