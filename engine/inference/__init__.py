"""ONNX graphs on an execution provider; the only room that knows onnxruntime."""
