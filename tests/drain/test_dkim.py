"""What the mail server gets is what was signed: the bytes of a run, of a copy, of a redirect."""

import dkim
import pytest

import dkim_keys
from draining import email, run
from emulated import Account
from ion.drain.deliver import Deliverer
from ion.guard_rules import GuardRules
from ion.mail.dkim import Signer
from ion.policy.guard import StagingGuard
from ion.smtp.pool import Pool
from smtp_server import Offer, ScriptedServer, Step, drop

SIGNER = Signer("example.org", "ion1", dkim_keys.key())
PUBLIC = dkim_keys.record(dkim_keys.pem())
HARD = {
    "subject": "Grüße",
    "body_text": ".\r\n..dots  and \t blanks \nFrom x\n\n",
    "cc": "c@d.example",
}


def signing(pool: Pool) -> Deliverer:
    return Deliverer(pool, 345_600, signer=SIGNER)


def redirecting(pool: Pool) -> Deliverer:
    guard = StagingGuard(GuardRules(only=("to1@example.org",), redirect_to="inbox@example.org"))
    return Deliverer(pool, 345_600, guard=guard, signer=SIGNER)


def is_valid(content: bytes) -> bool:
    valid: bool = dkim.verify(content, dnsfunc=lambda *_, **__: PUBLIC)
    return valid


@pytest.mark.parametrize("smtputf8", [True, False])
def test_what_arrives_is_what_was_signed(account: Account, smtputf8: bool) -> None:
    recipient = "jörg@example.org" if smtputf8 else "to1@example.org"
    account.publish(email(1, **HARD | {"recipient": recipient}))
    server = ScriptedServer(offer=Offer(smtputf8=smtputf8))
    assert run(account, server, relay=signing).sent == 1
    (sent,) = server.accepted
    assert is_valid(sent.content)


def test_a_copy_has_the_same_signature(account: Account) -> None:
    account.publish(email(1, **HARD))
    run(account, server := ScriptedServer({Step.DOT: [drop()]}), relay=signing)
    account.time_passes(1000)
    run(account, again := ScriptedServer(), relay=signing)
    assert again.accepted[0].content == server.accepted[0].content
    assert is_valid(again.accepted[0].content)


def test_the_redirects_copy_is_signed_by_itself(account: Account) -> None:
    account.publish(email(1, **HARD))
    run(account, server := ScriptedServer(), relay=redirecting)
    assert len(server.accepted) == 2
    assert all(is_valid(one.content) for one in server.accepted)
    assert len({one.content for one in server.accepted}) == 2


def test_email_of_another_domain_goes_out_unsigned(account: Account) -> None:
    account.publish(email(1, sender="a@b.example"))
    run(account, server := ScriptedServer(), relay=signing)
    assert b"DKIM-Signature" not in server.accepted[0].content
