"""Fuzzers: what any server may say, and what any publisher may write."""
