"""What a person or an alarm is told: log lines, metrics, and nothing personal in either."""
