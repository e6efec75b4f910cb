"""What all results have in common."""

import msgspec


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A result, or a part of one."""
