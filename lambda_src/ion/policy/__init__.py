"""What follows from what: pure functions and values; the clock comes in as an argument."""
