"""How the server answers a step: as scripted, or as it would."""

import asyncio
from dataclasses import dataclass
from typing import Final

from smtp_server.actions import Action, Ending, Reply, Step
from smtp_server.offer import Offer
from smtp_server.record import Session
from smtp_server.script import Player
from smtp_server.wire import DisconnectedError, Stream

UNAWAITED: Final = Action(
    Reply(554, ("5.5.0 Error: SMTP protocol synchronization",)), ending=Ending.CLOSE
)
"""Postfix's words (smtpd_forbid_unauth_pipelining)."""
_ANYWHERE: Final = frozenset({Step.DOT, Step.MAIL, Step.RCPT, Step.RSET})
"""These may be anywhere in a group, which the content of an email may begin; the other commands
must be its last (RFC 2920 section 3.1)."""


@dataclass
class Answering:
    """One connection's answers."""

    wire: Stream
    player: Player
    offer: Offer
    record: Session

    async def _answer(self, step: Step, normal: Reply, argument: str = "") -> Reply:
        """Answers as scripted, or normally; gives the verdict, whatever was written."""
        action = self._take(step, argument)
        await self._wait(action)
        if await self._is_unawaited(step) and self.offer.enforces_pipelining:
            action = UNAWAITED
        await self._write(action, normal)
        self._end(action)
        return action.reply or normal

    async def _is_unawaited(self, step: Step) -> bool:
        """Whether the client has gone on, though it must wait for the answer to this."""
        if self.offer.pipelining and step in _ANYWHERE:
            return False
        if not (self.wire.buffer or (self.offer.enforces_pipelining and await self.wire.early())):
            return False
        self.record.unawaited.append(step)
        return True

    def _take(self, step: Step, argument: str = "") -> Action:
        return self.player.take(step, self.record.number, argument)

    async def _say(self, reply: Reply) -> None:
        await self.wire.send(reply.encode())

    async def _wait(self, action: Action) -> None:
        while action.behind not in self.wire.buffer:
            await self.wire.more()
        await asyncio.sleep(action.delay_seconds)

    async def _write(self, action: Action, normal: Reply | None) -> None:
        reply = action.reply or normal
        written = reply.encode() if reply is not None else b""
        data = (written if action.raw is None else action.raw) + action.extra
        await self.wire.send(data, action.piece_bytes, action.pause_seconds)

    def _end(self, action: Action) -> None:
        if action.ending is not Ending.GO_ON:
            self.wire.finish(action.ending)
            raise DisconnectedError
