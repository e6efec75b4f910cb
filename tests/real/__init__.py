"""ion against mail servers that know nothing of our tests, each as it is published.

    with Postfix(folder) as server:
        ...  # a client finds it at server.host, server.port
        assert server.stored()[0].recipient == "e0000.r0@mta.example"

The servers come from Debian's packages and from npm, and nothing is installed: what they need is
unpacked into .venv/, and where a server insists on its own paths and users (Postfix, Dovecot,
OpenSMTPD, Sendmail), these exist for its processes alone (enclosure.py).
"""
