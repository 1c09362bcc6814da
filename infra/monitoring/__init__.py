"""The monitor: new results are noted as they come, and looked at together on a schedule."""
