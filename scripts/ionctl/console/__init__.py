"""The console: one page in a browser over ops, and the local inbox."""
