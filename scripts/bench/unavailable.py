"""What can't be measured on this machine."""


class UnavailableError(Exception):
    """Something is missing here; the text says what, and what helps. Its rows are left out."""
