"""Tables: formats, rules for values, one way from rows to tensors, Arrow and Parquet, the ONNX session."""
