"""Decisions as pure functions and values; the clock comes in as an argument."""
