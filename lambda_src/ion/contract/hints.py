"""What would be right where a message is wrong, in words: for people who publish.

For the publishers' library and for the local tools. The relay itself writes codes and paths alone.
"""

import re

from ion.contract.parse import MOST_LEVELS
from ion.outcome import Problem, Reason

_BUCKET = "a bucket's name by S3's rules, or an access point's alias"
_KEY = "1-1,024 octets of UTF-8"
_FILE = "$.attachments[]."
_TIME = "a time with a zone: 2027-03-08T09:00:00+01:00"

_TAGS = "ten: names of 1-64 letters, digits, _, . and -, values of 1-256 printable ASCII characters"

ALLOWED = {
    "$.action": "send, redrive, cancel, stop, pause or resume",
    "$.email_id": "1-256 printable ASCII characters without spaces",
    "$.template": "a folder's name of letters, digits, - and _, with / between folders",
    "$.locale": "a language tag: de, de-AT",
    "$.context": f"an object of at most {MOST_LEVELS} levels",
    "$.in_doubt": "resend_once, resend or park",
    "$.lane": "normal or bulk",
    "$.not_before": f"{_TIME}, at most 13 days ahead",
    "$.expires_at": f"{_TIME}, after not_before",
    "$.until": _TIME,
    "$.tags": f"at most {_TAGS}",
    "$.unsubscribe": "true, or the name of a tag of this message (of several tags it must be said "
    "which), and the message to one recipient in all",
    f"{_FILE}filename": "a name of at most 255 octets, without / and \\, tabs and characters that "
    "turn text around",
    f"{_FILE}content_type": "type/subtype, with parameters or without, but for name and boundary; "
    "neither multipart/… nor message/…",
    f"{_FILE}content_id": "1-255 ASCII characters without spaces and brackets",
    f"{_FILE}content": "base64",
    f"{_FILE}s3": "left out beside content",
    f"{_FILE}s3.bucket": _BUCKET,
    f"{_FILE}s3.key": _KEY,
    f"{_FILE}s3.version": "1-1,024 printable ASCII characters without spaces",
    f"{_FILE}s3.sha256": "64 hexadecimal digits",
    "$.where.reason": "one of the reasons on dead letters, or a list of them",
    "$.where.path": "the path on a dead letter: $.recipient[0]",
    "$.where.recipient_domain": "what follows the @, without * and @",
    "$.where.tag": f"one to {_TAGS}",
    "$.where.sender": "an address without a name: a@b",
    "$.where.email_id": "1-256 printable ASCII characters without spaces",
    "$.where.older_than": "an age: 90s, 30m, 12h, 7d; and less than younger_than",
    "$.where.younger_than": "an age: 90s, 30m, 12h, 7d",
    "$.max": "1 to 10,000,000",
    "$.rate": "0.01 to 10,000",
    "$[1].s3BucketName": _BUCKET,
    "$[1].s3Key": _KEY,
}
"""By path, the numbers in brackets left out: what a value must be."""

_MOST = {
    "$": "256 KiB of JSON, or of a message in S3 10 MB and what the function has memory for",
    "$.recipient": "1,000 recipients, with cc and bcc",
    "$.attachments": "100 attachments",
    f"{_FILE}s3": "40 MB in all, and what the function has memory for",
}
"""By path: what is the most."""

_WORDS: dict[str, str] = {
    Reason.INVALID_ADDRESS: "must be a@b, Name <a@b>, or email and name apart",
    Reason.HEADER_NAME: "is misspelt, there twice, or one that ion writes itself",
    Reason.HEADER_VALUE: "must be ASCII (%C3%BC and xn--… in a URL) in this header's grammar, "
    "without a word that is too long for a line of 998 octets",
    Reason.HEADER_INJECTION: "holds a line break or another control character",
    Reason.INVALID_UNICODE: "holds half of a surrogate pair, which no encoding can carry",
}

_index = re.compile(r"\[[0-9]+\](?!\.s3[BK])")
_tag = re.compile(r"(?<=tag)\[.*\]\Z|(?<=tags)\[.*\]\Z")


def hint(reason: str, path: str, problem: str | None) -> str:
    """What would be right, as a clause; empty: the codes say it all.

    Args:
        reason: the code.
        path: where it is.
        problem: in what way, if the dead letter says so.
    """
    where = _index.sub("[]", _tag.sub("", path))
    if reason == Reason.TOO_LARGE:
        return f"at most {_MOST[where]}" if where in _MOST else ""
    if problem in (Problem.VALUE, Problem.TYPE) and where in ALLOWED:
        return f"must be {ALLOWED[where]}"
    return _WORDS.get(reason, "")
