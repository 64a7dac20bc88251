"""Deep features: encoders as ONNX packages, pooled over a region of interest."""
