"""The way from the function to AWS, on which connections die while a function is frozen."""

import socket
import struct
import threading
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 65_536
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: close() sends RST in place of FIN."""


class Line:
    """Carries the bytes of every connection to a server of this machine.

    Attributes:
        opened: connections so far.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.opened = 0
        self._open: set[_Connection] = set()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.line = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def close_all(self) -> int:
        """Close all connections, as AWS does with what is idle; give their number."""
        with self._lock:
            for one in self._open:
                one.close()
            return len(self._open)

    def forget_all(self) -> int:
        """Reset each connection at the next byte, as a NAT gateway does with what was idle."""
        with self._lock:
            for one in self._open:
                one.forgotten = True
            return len(self._open)

    def began(self, connection: "_Connection") -> None:
        with self._lock:
            self.opened += 1
            self._open.add(connection)

    def ended(self, connection: "_Connection") -> None:
        with self._lock:
            self._open.discard(connection)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    line: Line

    def handle_error(self, request: object, client_address: object) -> None:
        """Either end has gone."""


class _Connection(BaseRequestHandler):
    request: socket.socket
    server: _Server
    forgotten = False

    def handle(self) -> None:
        with socket.create_connection(self.server.line.target) as self._target:
            self.server.line.began(self)
            back = threading.Thread(target=self._carry, args=(self._target, self.request))
            back.start()
            self._carry(self.request, self._target)
            back.join()
        self.server.line.ended(self)

    def close(self) -> None:
        for end in (self.request, self._target):
            with suppress(OSError):  # it is closed already
                end.shutdown(socket.SHUT_RDWR)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while octets := source.recv(_CHUNK_BYTES):
                if self.forgotten:
                    self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
                    self.request.close()
                    break
                sink.sendall(octets)
        self.close()
