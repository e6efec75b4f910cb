"""What the server does at a step, in place of its normal reply."""

from dataclasses import dataclass, replace
from enum import Enum, auto


class Step(Enum):
    """A moment of the conversation that a script can answer."""

    CONNECT = "connect"
    EHLO = "ehlo"
    HELO = "helo"
    STARTTLS = "starttls"
    AUTH = "auth"  # the verdict, after the credentials were read
    CHALLENGE = "challenge"  # each 334 of an AUTH exchange
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"  # while the body is read: see `in_body`
    DOT = "dot"  # the verdict on the content
    RSET = "rset"
    NOOP = "noop"
    QUIT = "quit"


class Ending(Enum):
    """What becomes of the connection after a step."""

    GO_ON = auto()
    CLOSE = auto()  # an orderly goodbye: close_notify on TLS, FIN
    FIN = auto()  # the process died: FIN, no close_notify; what still arrives is thrown away
    RESET = auto()  # RST
    HANG = auto()  # stays open, reads on, never says another word


@dataclass(frozen=True)
class Reply:
    """A reply code and its lines of text (RFC 5321 4.2)."""

    code: int
    lines: tuple[str, ...] = ("",)

    def encode(self) -> bytes:
        *others, last = self.lines
        text = [f"{self.code}-{line}\r\n" for line in others] + [f"{self.code} {last}\r\n"]
        return "".join(text).encode()


@dataclass(frozen=True)
class Action:
    """One scripted step: wait, write, end. Made by the functions below, which compose.

    Attributes:
        reply: In place of the normal one. It is also the server's verdict, so that a 2xx to RCPT
            adds the recipient and a 5xx doesn't.
        raw: Bytes in place of any reply; the verdict stays. Empty: nothing is written.
        extra: Bytes in the same segment, after the reply.
        delay_seconds: Before anything is written.
        pause_seconds: Between pieces of `piece_bytes` of what is written. At BODY without a reply:
            of what is read.
        ending: What becomes of the connection then.
        after_body_bytes: At BODY only: how many octets of the body are read first.
        behind: What must have come behind the step, unasked for, before anything is written.
    """

    reply: Reply | None = None
    raw: bytes | None = None
    extra: bytes = b""
    delay_seconds: float = 0
    pause_seconds: float = 0
    piece_bytes: int = 1
    ending: Ending = Ending.GO_ON
    after_body_bytes: int = 1
    behind: bytes = b""


NORMAL = Action()


def reply(code: int, *lines: str, close: bool = False) -> Action:
    """The given reply. At BODY it comes early, and the dot gets no other."""
    return Action(Reply(code, lines or ("",)), ending=Ending.CLOSE if close else Ending.GO_ON)


def drop(*, reset: bool = False, after: Action | None = None) -> Action:
    """The connection dies: before replying, or after another action (`NORMAL`: after replying)."""
    return replace(after or garbage(b""), ending=Ending.RESET if reset else Ending.FIN)


def hang(after: Action | None = None) -> Action:
    """Silence until the client leaves: without a reply, or after another action."""
    return replace(after or garbage(b""), ending=Ending.HANG)


def delay(seconds: float, then: Action = NORMAL) -> Action:
    """The normal reply, or another action, late."""
    return replace(then, delay_seconds=seconds)


def garbage(raw: bytes) -> Action:
    """These bytes instead of a reply. At BODY they come ahead of the dot's own reply."""
    return Action(raw=raw)


def glue(extra: bytes, to: Action = NORMAL) -> Action:
    """Bytes stuck to a reply, in its segment. At BODY: bytes nobody asked for."""
    return replace(to, extra=extra)


def trickle(pause_seconds: float, of: Action = NORMAL, *, piece_bytes: int = 1) -> Action:
    """A reply in pieces with pauses. At BODY the body is read so, which holds the client back."""
    return replace(of, pause_seconds=pause_seconds, piece_bytes=piece_bytes)


def in_body(after_bytes: int, action: Action) -> Action:
    """An action for BODY once that many octets were read, if the dot isn't among them."""
    return replace(action, after_body_bytes=after_bytes)


def once_behind(octets: bytes, then: Action = NORMAL) -> Action:
    """Another action, as soon as the client has gone on without waiting, and said this."""
    return replace(then, behind=octets)
