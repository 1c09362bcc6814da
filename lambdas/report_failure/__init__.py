"""Says why a training run ended without a model, whose it is to put right, and whether to page."""
