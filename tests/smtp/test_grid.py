"""Eight faults at eleven steps, 88 cells: the report agrees with what the server has."""

import asyncio

import pytest

from ion.outcome import Kind, Outcome, Reason, Scope
from smtp.client import ANN, FIRST, SECOND, WITH_LOGIN, email, pool_for, sent
from smtp_server import FAULTS, GRID, ScriptedServer, Step, Tls, reply

SETTING_UP = (Step.CONNECT, Step.EHLO, Step.STARTTLS, Step.AUTH)
ENVELOPE = (Step.MAIL, Step.RCPT, Step.DATA)

SENT = (Kind.ACCEPTED, Reason.ACCEPTED)
NO_CONNECTION = (Kind.UNAVAILABLE, Reason.CONNECT)
LATER = (Kind.TRANSIENT, Reason.TRY_LATER)
NOT_SENT = (Kind.OUT_OF_STEP, Reason.CONNECTION_LOST)
IN_DOUBT = (Kind.IN_DOUBT, Reason.IN_DOUBT)
BEFORE_RSET = (Kind.PERMANENT, Reason.RCPT_REJECTED)
"""What makes us say RSET. Whatever becomes of that, the verdict stands."""

Allowed = set[tuple[Kind, Reason]]


def _refusals(kind: Kind, auth: Reason) -> dict[Step, Allowed]:
    reasons = (Reason.GREETING, Reason.EHLO, Reason.TLS_REQUIRED, auth)
    return {step: {(kind, reason)} for step, reason in zip(SETTING_UP, reasons, strict=True)}


def _broken() -> dict[Step, Allowed]:
    return {
        **{step: {NO_CONNECTION} for step in SETTING_UP},
        **{step: {NOT_SENT} for step in ENVELOPE},
        Step.BODY: {NOT_SENT, IN_DOUBT},  # a small body has left as a whole before it is read
        Step.DOT: {IN_DOUBT},
    }


_LATER: dict[Step, Allowed] = {
    **_refusals(Kind.UNAVAILABLE, Reason.AUTH_LATER),
    **{step: {LATER} for step in (*ENVELOPE, Step.BODY, Step.DOT)},
}
ALLOWED: dict[str, dict[Step, Allowed]] = {
    "4xx": _LATER,
    "5xx": {
        **_refusals(Kind.MISCONFIGURED, Reason.AUTH),
        Step.MAIL: {(Kind.PERMANENT, Reason.SENDER_REJECTED)},
        Step.RCPT: {(Kind.PERMANENT, Reason.RCPT_REJECTED)},
        Step.DATA: {(Kind.PERMANENT, Reason.DATA_REJECTED)},
        Step.BODY: {(Kind.PERMANENT, Reason.TOO_LARGE)},
        Step.DOT: {(Kind.PERMANENT, Reason.CONTENT_REJECTED)},
    },
    "421": _LATER,
    "drop": _broken(),
    "delay": {},
    "garbage": _broken(),
    # RFC 3207 section 4.2 has the plaintext behind the 220 thrown away. At BODY the glued reply
    # comes alone, ahead of the one to the dot: nobody could tell them apart.
    "glued": {**_broken(), Step.STARTTLS: {SENT}, Step.BODY: {SENT, NOT_SENT, IN_DOUBT}},
    "trickle": {},
}


def assert_agree(outcome: Outcome, sender: str, server: ScriptedServer) -> None:
    """The report and the server's count by the dot."""
    accepted = [taken for taken in server.accepted if taken.sender == sender]
    if outcome.kind is Kind.ACCEPTED:
        assert len(accepted) == 1
    elif outcome.kind is Kind.IN_DOUBT:
        assert [begun for begun in server.submissions if begun.sender == sender]
    else:
        assert accepted == []


@pytest.mark.parametrize(("fault", "step"), GRID, ids=[f"{f}-{s.value}" for f, s in GRID])
def test_the_report_and_the_server_agree(fault: str, step: Step) -> None:
    async def main() -> None:
        script = {step: [FAULTS[fault](step)]}
        recipients = {ANN: [reply(550, "5.1.1 no such user")]} if step is Step.RSET else {}
        async with ScriptedServer(
            script, recipients=recipients, tls=Tls.STARTTLS, offer=WITH_LOGIN
        ) as server:
            pool = pool_for(server, Tls.STARTTLS)
            async with pool:
                (outcome,) = await sent(pool, email())
            await server.settled()
            by_default = BEFORE_RSET if step is Step.RSET else SENT
            allowed = ALLOWED[fault].get(step, {by_default})
            assert (outcome.kind, outcome.reason) in allowed, outcome
            assert (outcome.scope is Scope.SITE) == (outcome.kind in SITE_KINDS)
            assert_agree(outcome, FIRST, server)

    asyncio.run(main())


SITE_KINDS = {Kind.UNAVAILABLE, Kind.MISCONFIGURED}


@pytest.mark.parametrize(("fault", "step"), GRID, ids=[f"{f}-{s.value}" for f, s in GRID])
def test_it_harms_no_other_email_and_what_certainly_was_not_sent_arrives_once(
    fault: str, step: Step
) -> None:
    async def main() -> None:
        script = {step: [FAULTS[fault](step)]}
        recipients = {ANN: [reply(550, "5.1.1 no such user")]} if step is Step.RSET else {}
        async with ScriptedServer(
            script, recipients=recipients, tls=Tls.STARTTLS, offer=WITH_LOGIN
        ) as server:
            async with pool_for(server, Tls.STARTTLS) as pool:
                (first,) = await sent(pool, email())
                (second,) = await sent(pool, email(sender=SECOND))
                assert (second.scope is Scope.SITE) == (first.scope is Scope.SITE)
            async with pool_for(server, Tls.STARTTLS) as pool:  # the next run
                if second.scope is Scope.SITE:
                    (second,) = await sent(pool, email(sender=SECOND))
                if first.kind not in {Kind.ACCEPTED, Kind.IN_DOUBT, Kind.PERMANENT}:
                    (first,) = await sent(pool, email(), fresh=True)
                    assert first.kind is Kind.ACCEPTED
            await server.settled()
            assert second.kind is Kind.ACCEPTED
            assert_agree(first, FIRST, server)
            assert_agree(second, SECOND, server)

    asyncio.run(main())
