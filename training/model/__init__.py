"""A model fitted, searched for, exported to ONNX and compared with its export."""
