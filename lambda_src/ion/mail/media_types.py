"""The media type of an attachment: as the publisher says, or by the ending of its name.

The list is ion's own. Python's `mimetypes` reads the machine's, and changes with its version, and
the same message must make the same octets everywhere.
"""

import re

UNKNOWN = "application/octet-stream"

_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"  # RFC 6838 section 4.2
_WORD = r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]+"  # RFC 2045 section 5.1
_PARAMETER = rf';[ ]*({_WORD})=(?:{_WORD}|"[ !#-\[\]-~]*")'
_LONGEST = 255
_is_media_type = re.compile(rf"({_NAME})/{_NAME}(?:[ ]*{_PARAMETER})*").fullmatch
_parameters = re.compile(_PARAMETER).findall
_OURS = frozenset({"boundary", "name"})
"""Parameters that ion writes itself."""
_COMPOSITE = frozenset({"multipart", "message"})
"""Made of parts or of a message, which must not be base64 (RFC 2046 sections 5.1 and 5.2)."""

_TYPES = {
    "7z": "application/x-7z-compressed",
    "aac": "audio/aac",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "bz2": "application/x-bzip2",
    "css": "text/css",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "gif": "image/gif",
    "gz": "application/gzip",
    "heic": "image/heic",
    "htm": "text/html",
    "html": "text/html",
    "ico": "image/vnd.microsoft.icon",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "md": "text/markdown",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ogg": "audio/ogg",
    "p7s": "application/pkcs7-signature",
    "pdf": "application/pdf",
    "pkpass": "application/vnd.apple.pkpass",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rtf": "application/rtf",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "vcf": "text/vcard",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}


def type_by_name(filename: str) -> str:
    """The type that files with such a name have; of an unknown one: octets."""
    return _TYPES.get(filename.rpartition(".")[2].lower(), UNKNOWN)


def is_media_type(text: str) -> bool:
    """True for type/subtype, with parameters or without, of what may be sent as base64."""
    found = _is_media_type(text) if len(text) <= _LONGEST else None
    if not found or found[1].lower() in _COMPOSITE:
        return False
    names = [name.lower() for name in _parameters(text)]
    return len(set(names)) == len(names) and not any(name.split("*")[0] in _OURS for name in names)
