"""The whole relay on this machine: an emulated AWS, a mail server, and ion between them."""
