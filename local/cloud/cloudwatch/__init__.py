"""CloudWatch: metrics, logs and alarms."""
