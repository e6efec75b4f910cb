"""What a sender is told: where to, how much, and in what way."""

from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Task:
    """One run of one sender.

    Args:
        sender: its name in `bench.child`.
        port: of the server on 127.0.0.1.
        connections: at most.
        emails: to be measured.
        prebuilt: the bytes are there before the clock starts.
        ca_file: for STARTTLS; None: in the clear.
        program: smtp-source's path.
        pipelining: ion's `[smtp] pipelining`.
        far: the server is some way off, so that connecting takes its time.
    """

    sender: str
    port: int
    connections: int
    emails: int
    prebuilt: bool = False
    ca_file: str | None = None
    program: str = ""
    pipelining: str = ""
    far: bool = False
