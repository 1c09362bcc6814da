"""The jobs of monitoring, one module each."""
