"""A DNS server on loopback, by UDP and TCP, with what a test puts into it."""

import socketserver
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]
"""By name and type, such as ("example.org", "TXT"): the records as a zone file has them."""

_LARGEST_DATAGRAM = 512
_TTL_SECONDS = 60


class DnsServer:
    """Answers from `zone`, which may be changed while it runs; other names don't exist.

    Attributes:
        zone: What there is.
        silent: Takes questions and doesn't answer.
        failing: Answers SERVFAIL.
        denies_above: Says that a name doesn't exist though names below it do (against RFC 8020).
        over_tcp: How many questions came by TCP.
    """

    def __init__(self, zone: Zone | None = None) -> None:
        self.zone: dict[tuple[str, str], Sequence[str]] = dict(zone or {})
        self.silent = False
        self.failing = False
        self.denies_above = False
        self.over_tcp = 0

    @property
    def address(self) -> str:
        """As --nameserver has it."""
        return f"127.0.0.1:{self._port}"

    def answer(self, question: bytes, *, may_be_large: bool) -> bytes | None:
        query = dns.message.from_wire(question)
        response = dns.message.make_response(query)
        name, kind = query.question[0].name, query.question[0].rdtype
        if self.silent:
            return None
        if self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response.to_wire()
        there = {dns.name.from_text(one): one for one, _ in self.zone}
        below = any(one.is_subdomain(name) for one in there) and not self.denies_above
        if name not in there and not below:
            response.set_rcode(dns.rcode.NXDOMAIN)
        records = self.zone.get((there.get(name, ""), dns.rdatatype.to_text(kind)), ())
        if records:
            response.answer.append(dns.rrset.from_text(name, _TTL_SECONDS, "IN", kind, *records))
        wire = response.to_wire()
        if len(wire) > _LARGEST_DATAGRAM and not may_be_large:
            response.answer.clear()
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        return wire

    def __enter__(self) -> Self:
        server = self

        class Datagram(socketserver.DatagramRequestHandler):
            def handle(self) -> None:
                if answer := server.answer(self.rfile.read(), may_be_large=False):
                    self.wfile.write(answer)

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                server.over_tcp += 1
                length = int.from_bytes(self.rfile.read(2))
                if answer := server.answer(self.rfile.read(length), may_be_large=True):
                    self.wfile.write(len(answer).to_bytes(2) + answer)

        tcp = socketserver.TCPServer(("127.0.0.1", 0), Connection)
        self._port: int = tcp.server_address[1]
        udp = socketserver.UDPServer(("127.0.0.1", self._port), Datagram)
        self._servers: list[Any] = [tcp, udp]
        for one in self._servers:
            threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self._servers:
            one.shutdown()
            one.server_close()
