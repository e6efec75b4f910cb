"""A zip whose bytes depend on nothing but the names and contents of its files."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import deflate

if TYPE_CHECKING:
    from collections.abc import Mapping

# The format's numbers are from PKWARE's APPNOTE.TXT, sections 4.3 and 4.4.
_VERSION_NEEDED = 20  # deflate
_MADE_BY_UNIX = 3 << 8 | _VERSION_NEEDED
_DEFLATED = 8
_MIDNIGHT = 0
_FIRST_DAY = 1 << 5 | 1  # 1980-01-01, where the format's calendar starts
_REGULAR_FILE_0644 = 0o100644 << 16

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_CENTRAL_HEADER = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")

# libdeflate, not the zlib of this Python: its output depends on the version, and distributions
# put zlib-ng or others in its place. libdeflate comes with our lock and calculates in integers
# only, so that x86_64 and arm64 agree (zopfli's floating point need not, and is 24 times slower
# for 0.2 % less). 12 is its thorough end: one second for the whole package.
_LEVEL = 12


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The zip of `files`, by name.

    Raises:
        UnicodeEncodeError: a name isn't ASCII; other names would need a flag and a convention.
    """
    members = bytearray()
    directory = bytearray()
    for name, content in sorted(files.items()):
        packed = deflate.deflate_compress(content, _LEVEL)
        encoded = name.encode("ascii")
        # What both headers say of a file; no flags, no extra field.
        common = (
            _VERSION_NEEDED,
            0,
            _DEFLATED,
            _MIDNIGHT,
            _FIRST_DAY,
            deflate.crc32(content),
            len(packed),
            len(content),
            len(encoded),
            0,
        )
        directory += _CENTRAL_HEADER.pack(
            b"PK\1\2", _MADE_BY_UNIX, *common, 0, 0, 0, _REGULAR_FILE_0644, len(members)
        )
        directory += encoded
        members += _LOCAL_HEADER.pack(b"PK\3\4", *common) + encoded + packed
    end = _END.pack(b"PK\5\6", 0, 0, len(files), len(files), len(directory), len(members), 0)
    return bytes(members + directory + end)
