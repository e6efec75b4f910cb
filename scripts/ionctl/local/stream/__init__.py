"""The ledger's stream on the emulated AWS, whose own sees no PartiQL: from rows to the function."""
