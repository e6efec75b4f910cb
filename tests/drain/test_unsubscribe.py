"""Links to unsubscribe in the emails that a run sends."""

import asyncio
import json
from email import message_from_bytes

import pytest

from draining import email, reasons, run
from emulated import Account
from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.outcome import Reason
from ion.unsubscribe.token import Subscription, read
from smtp_server import ScriptedServer, Step, drop

URL = "https://unsubscribe.example.org/x"


def asking(**fields: object) -> str:
    return email(1, unsubscribe=True, tags={"list": "news"}, **fields)


async def key_of(account: Account) -> bytes:
    key = await AddressKey(account.dynamodb(), account.table).read()  # type: ignore[arg-type]
    assert key is not None
    return key


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        ({"unsubscribe": True}, "all"),
        ({"unsubscribe": True, "tags": {"list": "news"}}, "tag:list=news"),
        ({"unsubscribe": "list", "tags": {"list": "news", "n": "1"}}, "tag:list=news"),
    ],
)
def test_the_link_is_the_recipients_and_about_the_tag(
    account: Account, fields: dict[str, object], scope: str
) -> None:
    server = ScriptedServer()
    account.publish(email(1, recipient="Ann <Ann@Example.org>", **fields))
    assert run(account, server, unsubscribe_url=URL).sent == 1
    (sent,) = server.accepted
    message = message_from_bytes(sent.content)
    link = message["List-Unsubscribe"].strip("<>")
    assert link.startswith(f"{URL}/u/")
    key = asyncio.run(key_of(account))
    expected = Subscription(address_hash(key, "ann@example.org"), scope)
    assert read(key, link.removeprefix(f"{URL}/u/")) == expected
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_an_email_that_asks_for_none_has_none(account: Account) -> None:
    server = ScriptedServer()
    account.publish(email(1, unsubscribe=False))
    run(account, server, unsubscribe_url=URL)
    assert b"List-Unsubscribe" not in server.accepted[0].content


def test_a_copy_that_is_sent_again_is_the_same_to_the_byte(account: Account) -> None:
    server = ScriptedServer({Step.DOT: [drop()]})
    account.publish(asking())
    run(account, server, unsubscribe_url=URL)
    account.time_passes(1000)
    run(account, again := ScriptedServer(), unsubscribe_url=URL)
    assert again.accepted[0].content == server.accepted[0].content


def test_without_a_url_the_letter_is_kept_for_when_there_is_one(account: Account) -> None:
    account.publish(asking())
    summary = run(account)
    assert "[unsubscribe] url" in summary.advice
    assert reasons(account) == [Reason.UNSUBSCRIBE_MISSING]
    account.publish(json.dumps({"action": "redrive"}))
    account.time_passes(60)
    assert run(account, unsubscribe_url=URL).sent == 1
