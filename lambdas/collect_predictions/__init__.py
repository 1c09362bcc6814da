"""Notes new results for the monitor, which looks at them together later."""
