"""Text of strangers, made harmless for a terminal."""


def printable(text: str) -> str:
    """Take out what would command the terminal: emails are written by strangers."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
