"""From what a publisher asks for to an email: envelope and RFC 5322 bytes, without any I/O."""

from ion.mail.compose import compose

__all__ = ["compose"]
