"""One execution environment: settings and secret, the mail servers in order, logins."""
