"""One session's dialogue: strict about sequence and syntax, faulty where the script says so."""

import asyncio
import base64
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from smtp_server.actions import Ending, Reply, Step
from smtp_server.answering import Answering
from smtp_server.authentication import ExchangeError, decode, log_in
from smtp_server.body import Body
from smtp_server.envelope import Path, Transaction, parse_path
from smtp_server.judgement import (
    BAD_SEQUENCE,
    OK,
    SYNTAX,
    TOO_LONG,
    TOO_MANY_EMAILS,
    judge_content,
    judge_data,
    judge_mail,
    judge_rcpt,
)
from smtp_server.offer import Tls
from smtp_server.record import Command, Submission
from smtp_server.wire import DisconnectedError

COMMAND_LIMIT_BYTES: Final = 2048  # 512 and what the extensions add (RFC 5321 4.5.3.1.4)
AUTH_LIMIT_BYTES: Final = 12288  # RFC 4954 4


@dataclass
class Conversation(Answering):
    """Answers one client until it leaves or the script ends it."""

    tls: Tls
    context: ssl.SSLContext | None
    submissions: list[Submission]
    greeted: bool = False
    refused: bool = False  # by the greeting: only QUIT is served then (RFC 5321 3.1)
    transaction: Transaction | None = None
    early: bool = False  # the next MAIL came behind a dot that wasn't answered yet
    handlers: dict[str, Callable[[str], Awaitable[None]]] = field(init=False)

    def __post_init__(self) -> None:
        self.handlers = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "QUIT": self._quit,
        }

    async def run(self) -> None:
        try:
            if self.tls is Tls.IMPLICIT:
                await self._secure()
            greeting = await self._answer(Step.CONNECT, Reply(220, ("smtp.example ESMTP",)))
            self.refused = greeting.code != 220
            while True:
                await self._command(await self.wire.line(AUTH_LIMIT_BYTES))
        except DisconnectedError:
            pass
        finally:
            self.wire.close()
            self.record.over = True

    async def _command(self, line: bytes) -> None:
        text = line.removesuffix(b"\n").removesuffix(b"\r").decode(errors="surrogateescape")
        pipelined = bool(self.wire.buffer)
        self.record.commands.append(Command(text, time.monotonic(), pipelined))
        verb, _, argument = text.partition(" ")
        handler = self.handlers.get(verb.upper())
        limit = AUTH_LIMIT_BYTES if verb.upper() == "AUTH" else COMMAND_LIMIT_BYTES
        if len(line) > limit:
            await self._say(TOO_LONG)
        elif not line.endswith(b"\r\n") or re.search(rb"[\r\0]", line[:-2]):
            await self._say(Reply(500, ("5.5.2 Stray control character",)))
        elif self.refused and verb.upper() != "QUIT":
            await self._say(BAD_SEQUENCE)
        elif verb.upper() in {"VRFY", "EXPN", "HELP"}:
            await self._say(Reply(502, ("5.5.1 Not implemented",)))
        elif handler is None:
            await self._say(Reply(500, ("5.5.2 Unknown command",)))
        else:
            await handler(argument)

    # the session

    async def _ehlo(self, argument: str) -> None:
        keywords = self.offer.keywords(starttls=self._may_start_tls, auth=self._may_auth)
        await self._greet(Step.EHLO, Reply(250, ("smtp.example", *keywords)), argument)

    async def _helo(self, argument: str) -> None:
        await self._greet(Step.HELO, Reply(250, ("smtp.example",)), argument)

    async def _greet(self, step: Step, normal: Reply, argument: str) -> None:
        verdict = await self._answer(step, normal if argument else SYNTAX, argument)
        if verdict.code // 100 == 2:
            self.greeted, self.transaction = True, None

    @property
    def _may_start_tls(self) -> bool:
        return self.tls is Tls.STARTTLS and not self.record.tls

    @property
    def _may_auth(self) -> bool:
        return bool(self.offer.users) and not self._may_start_tls

    async def _starttls(self, argument: str) -> None:
        normal = Reply(220, ("2.0.0 Ready to start TLS",))
        if argument:
            normal = SYNTAX
        elif self.tls is not Tls.STARTTLS:
            normal = Reply(502, ("5.5.1 Not implemented",))
        elif self.record.tls or self.transaction or not self.greeted:
            normal = BAD_SEQUENCE
        verdict = await self._answer(Step.STARTTLS, normal)
        if verdict.code == 220 and self._may_start_tls:
            await self._secure()
            self.greeted, self.record.username = False, None

    async def _secure(self) -> None:
        assert self.context is not None
        try:
            self.record.early_plaintext = await self.wire.start_tls(self.context)
        except OSError as error:
            self.record.tls_error = str(error) or type(error).__name__
            raise DisconnectedError from error
        self.record.tls = True

    async def _auth(self, argument: str) -> None:
        self.record.auth_commands += 1
        mechanism, _, initial = argument.partition(" ")
        username, normal = "", self._auth_objection(mechanism.upper())
        if normal is None:
            try:
                login = await log_in(mechanism.upper(), initial, self._ask, self.offer.users)
            except ExchangeError as error:
                if error.reply is None:
                    return
                normal = error.reply
            else:
                username, normal = login.username, login.reply
        if (await self._answer(Step.AUTH, normal, argument)).code == 235:
            self.record.username = username

    def _auth_objection(self, mechanism: str) -> Reply | None:
        if not self.offer.users:
            return Reply(502, ("5.5.1 Not implemented",))
        if self._may_start_tls:
            return Reply(538, ("5.7.11 Encryption required",))
        if self.record.username is not None or self.transaction or not self.greeted:
            return BAD_SEQUENCE
        if mechanism not in self.offer.mechanisms:
            return Reply(504, ("5.5.4 Unrecognized authentication type",))
        return None

    async def _ask(self, challenge: bytes) -> bytes:
        normal = Reply(334, (base64.b64encode(challenge).decode(),))
        if (await self._answer(Step.CHALLENGE, normal)).code != 334:
            raise ExchangeError(None)
        line = await self.wire.line(AUTH_LIMIT_BYTES)
        if len(line) > AUTH_LIMIT_BYTES:
            raise ExchangeError(TOO_LONG)
        return decode(line.rstrip(b"\r\n").decode(errors="surrogateescape"))

    async def _rset(self, argument: str) -> None:
        verdict = await self._answer(Step.RSET, SYNTAX if argument else OK)
        if verdict.code // 100 == 2:
            self.transaction = None

    async def _noop(self, argument: str) -> None:
        await self._answer(Step.NOOP, OK, argument)

    async def _quit(self, argument: str) -> None:
        normal = SYNTAX if argument else Reply(221, ("2.0.0 Bye",))
        if (await self._answer(Step.QUIT, normal)).code == 221:
            self.wire.finish(Ending.CLOSE)
            raise DisconnectedError

    # the transaction

    async def _mail(self, argument: str) -> None:
        mail = parse_path(argument, "FROM")
        normal, early = BAD_SEQUENCE, self.early
        self.early = False
        self.record.early_mails += early
        is_minded = early and self.offer.minds_early_mail
        if self.greeted and self.transaction is None and not is_minded:
            normal = judge_mail(mail, self.offer, self.record)
        verdict = await self._answer(Step.MAIL, normal, argument)
        self.record.minded_mails += is_minded and verdict is BAD_SEQUENCE
        self.record.put_off += verdict is TOO_MANY_EMAILS
        if verdict.code // 100 == 2:
            self.transaction = Transaction(mail or Path(argument, ()))

    async def _rcpt(self, argument: str) -> None:
        path = parse_path(argument, "TO")
        address = path.address if path else argument
        normal = BAD_SEQUENCE
        if self.transaction is not None:
            normal = judge_rcpt(path, self.offer, self.transaction)
        verdict = await self._answer(Step.RCPT, normal, address)
        if verdict.code // 100 == 2 and self.transaction:
            self.transaction.recipients.append(address)

    async def _data(self, argument: str) -> None:
        normal = judge_data(argument, self.transaction)
        if (await self._answer(Step.DATA, normal)).code != 354:
            return
        submission = self._begin()
        if await self._read_body(submission):
            self.transaction = None
        else:
            await self._settle(submission)

    def _begin(self) -> Submission:
        transaction = self.transaction or Transaction(Path("", ()))  # DATA scripted to get a 354
        submission = Submission(
            self.record.number,
            transaction.mail.address,
            tuple(transaction.recipients),
            transaction.mail.parameters,
        )
        self.submissions.append(submission)
        return submission

    async def _read_body(self, submission: Submission) -> bool:
        """Reads up to the dot, interrupted as scripted; whether the verdict was given early."""
        action, body = self._take(Step.BODY), Body(self.wire)
        try:
            submission.saw_dot = await body.read(action.after_body_bytes)
            if submission.saw_dot:
                return False
            if action.reply is not None:
                submission.verdict = action.reply.code
            await self._wait(action)
            await self._write(action, None)
            submission.replied = action.reply is not None and action.raw is None
            self._end(action)
            slowly = action.pause_seconds > 0 and action.reply is None
            while slowly and not submission.saw_dot:
                await asyncio.sleep(action.pause_seconds)
                submission.saw_dot = await body.read(action.piece_bytes)
            submission.saw_dot = submission.saw_dot or await body.read()
            return action.reply is not None
        finally:
            submission.content = body.content

    async def _settle(self, submission: Submission) -> None:
        """Decides on a complete content, and only then says so."""
        self.transaction = None
        action = self._take(Step.DOT)
        normal = judge_content(submission, self.offer)
        submission.verdict = (action.reply or normal).code
        self.record.taken += submission.accepted
        await self._wait(action)
        may_wait = self.offer.minds_early_mail
        submission.more_behind = bool(self.wire.buffer) or (may_wait and await self.wire.early())
        self.early = submission.more_behind
        await self._is_unawaited(Step.DOT)  # too late to refuse it: the email is taken or not
        await self._write(action, normal)
        submission.replied = action.raw is None
        self._end(action)
