"""How fast ion is, beside others in the same minutes on the same machine, and what it costs."""
