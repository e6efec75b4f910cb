"""From what the ledger's stream says was written to outcome events on a topic."""
