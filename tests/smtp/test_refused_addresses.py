"""An address that a server calls malformed is refused alone: the email goes to the others."""

from dataclasses import replace

import pytest

from ion.outcome import Kind, Reason, Scope
from smtp.client import ANN, BOB, CYD, FIRST, SECOND, WITH_LOGIN, email, kinds, pool_for, sent
from smtp_server import Action, Offer, ScriptedServer, Step, Tls, reply

DAN = "dan@example.org"
REFUSALS = pytest.mark.parametrize(
    "refusal",
    [
        reply(501, "5.1.3 Recipient address syntax error"),
        reply(501, "Error: Bad address syntax"),
        reply(553, "5.1.3 not a valid RFC 5321 address"),
        reply(553, "no such name"),
    ],
    ids=["501 5.1.3", "501", "553 5.1.3", "553"],
)
OFFERS = pytest.mark.parametrize(
    "offer",
    [WITH_LOGIN, replace(WITH_LOGIN, pipelining=True)],
    ids=["one by one", "pipelining"],
)


@pytest.mark.row("54a")
@OFFERS
@REFUSALS
@pytest.mark.parametrize("place", range(3))
async def test_the_others_are_served(refusal: Action, offer: Offer, place: int) -> None:
    names = [ANN, BOB, CYD]

    refused = {names[place]: refusal}
    async with ScriptedServer(recipients=refused, tls=Tls.STARTTLS, offer=offer) as server:
        async with pool_for(server, Tls.STARTTLS) as pool:
            outcomes = await sent(pool, email(*names))
            (next_one,) = await sent(pool, email(DAN, sender=SECOND))
        await server.settled()
        assert len(server.sessions) == 1, "the connection is as good as before"
        assert next_one.kind is Kind.ACCEPTED
        others = [kind for i, kind in enumerate(kinds(outcomes)) if i != place]
        assert others == [Kind.ACCEPTED] * 2
        alone = outcomes[place]
        assert (alone.kind, alone.scope) == (Kind.PERMANENT, Scope.RECIPIENT)
        assert alone.reason is Reason.RCPT_REJECTED
        taken = [one.recipients for one in server.accepted if one.sender == FIRST]
        assert taken == [tuple(name for name in names if name != names[place])]


@pytest.mark.row("54a")
@OFFERS
@REFUSALS
async def test_if_it_is_the_only_one_nothing_is_sent_and_the_next_email_is(
    refusal: Action, offer: Offer
) -> None:
    refused = {ANN: refusal}
    async with ScriptedServer(recipients=refused, tls=Tls.STARTTLS, offer=offer) as server:
        async with pool_for(server, Tls.STARTTLS) as pool:
            (alone,) = await sent(pool, email(ANN))
            (next_one,) = await sent(pool, email(BOB, sender=SECOND))
        await server.settled()
        assert (alone.kind, alone.reason) == (Kind.PERMANENT, Reason.RCPT_REJECTED)
        assert next_one.kind is Kind.ACCEPTED
        assert [one.sender for one in server.accepted] == [SECOND]


@pytest.mark.row("54a")
@OFFERS
@REFUSALS
async def test_a_malformed_sender_is_its_emails_fault_alone(refusal: Action, offer: Offer) -> None:
    script = {Step.MAIL: [refusal]}
    async with ScriptedServer(script, tls=Tls.STARTTLS, offer=offer) as server:
        async with pool_for(server, Tls.STARTTLS) as pool:
            outcomes = await sent(pool, email(ANN, BOB))
            (next_one,) = await sent(pool, email(sender=SECOND))
        await server.settled()
        assert {(one.kind, one.scope) for one in outcomes} == {(Kind.PERMANENT, Scope.SENDER)}
        assert {one.reason for one in outcomes} == {Reason.SENDER_REJECTED}
        assert next_one.kind is Kind.ACCEPTED
        assert [one.sender for one in server.accepted] == [SECOND]
