"""The stacks of one model in one environment."""
