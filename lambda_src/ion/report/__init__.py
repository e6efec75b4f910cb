"""Log lines and metrics, with nothing personal in either."""
