"""Links by which a recipient unsubscribes, and the function that they lead to (RFC 8058)."""
