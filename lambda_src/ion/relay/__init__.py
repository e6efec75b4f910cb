"""What outlives a run: settings and secret, the mail servers in order, and the login to each."""
