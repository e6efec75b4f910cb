"""The place of a fault in a message, as JSONPath (RFC 9535): never what is there.

A name is repeated only if it looks like one, and not like data (an address, a telephone number);
`*` stands for any other.
"""

import re

_is_field_name = re.compile(r"[A-Za-z_]\w{0,39}", re.ASCII).fullmatch
_is_header_name = re.compile(r"[A-Za-z][\w-]{0,75}", re.ASCII).fullmatch


def member(path: str, name: str) -> str:
    """The path of a field in the object at `path`: `$.subject`, `$[*]`."""
    return f"{path}.{name}" if _is_field_name(name) else f"{path}[*]"


def header(path: str, name: str) -> str:
    """The path of a header in the object at `path`: `$.headers['X-Tag']`, `$.headers[*]`."""
    return f"{path}['{name}']" if _is_header_name(name) else f"{path}[*]"


def somewhere(name: str) -> str:
    """The path of a name at an unknown depth: `$..subject`, `$..['X-Tag']`, `$..[*]`."""
    return f"$..{name}" if _is_field_name(name) else header("$..", name)
