"""The body as it comes over the wire, up to the line with the dot (RFC 5321 4.1.1.4)."""

from typing import Final

from smtp_server.wire import Stream

_DOT: Final = b"\r\n.\r\n"


class Body:
    """Reads a body, all of it or a part; what is behind the dot stays on the wire."""

    def __init__(self, wire: Stream) -> None:
        self._stream = wire
        self._seen = bytearray(b"\r\n")  # so that a dot on the first line is like any other

    async def read(self, count: int | None = None) -> bool:
        """Reads to the dot (True), or so many octets (False)."""
        while count is None or count > 0:
            if not self._stream.buffer:
                await self._stream.more()
            taken = self._stream.take(len(self._stream.buffer) if count is None else count)
            start = max(0, len(self._seen) - len(_DOT) + 1)
            self._seen += taken
            end = self._seen.find(_DOT, start)
            if end >= 0:
                self._stream.put_back(bytes(self._seen[end + len(_DOT) :]))
                del self._seen[end + 2 :]
                return True
            if count is not None:
                count -= len(taken)
        return False

    @property
    def content(self) -> bytes:
        """What was read, without the dots of transparency (RFC 5321 4.5.2)."""
        return bytes(self._seen.replace(b"\r\n.", b"\r\n")[2:])
