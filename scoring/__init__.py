"""From rows to predictions: uploads, the model server, and the batch path."""
