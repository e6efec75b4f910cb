"""The suppression list as operators change it, and as the next run obeys it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from addresses import damage, entry, hash_of, know
from draining import email, run, suppression_list
from emulated import Account, failing
from ion.policy.suppression import Why
from ionctl.ops import suppressing
from ionctl.ops.letters import silent
from ionctl.problem import Problem
from operated import deployment

ANN = "ann@example.org"


def sent(account: Account, **fields: Any) -> bool:  # noqa: ANN401
    """Whether an email to Ann is sent by a run with the list on."""
    account.publish(email(recipient=ANN, **fields))
    return run(account, suppressing=suppression_list(account)).sent == 1


@pytest.mark.row(84)
def test_who_is_added_gets_no_mail_until_removed(account: Account) -> None:
    operated = deployment(account, ION_SUPPRESSION_LIST="on")
    assert sent(account)
    done = suppressing.add(operated, f"Ann <{ANN.upper()}>", by="bob")
    (one,) = done.entries
    assert (one.scope, one.why, one.by, one.until) == ("all", "manual", "bob", None)
    assert done.words == "no mail of scope all goes to it"
    assert not sent(account)
    assert suppressing.remove(operated, ANN).entries == []
    assert sent(account)
    assert ANN not in json.dumps(account.rows())


def test_a_hash_stands_for_its_address(account: Account) -> None:
    operated = deployment(account)
    hashed = asyncio.run(hash_of(account, ANN))
    assert suppressing.add(operated, hashed).hash == hashed
    assert suppressing.check(operated, ANN).words.startswith("suppressed: all; it has effect once")
    assert suppressing.remove(operated, hashed).entries == []


def test_an_entry_has_a_scope_a_reason_and_an_end(account: Account) -> None:
    operated = deployment(account)
    until = datetime.now(UTC) + timedelta(days=30)
    for scope, why in (("tag:list=news", Why.UNSUBSCRIBE), ("domain:Bücher.test", Why.MANUAL)):
        suppressing.add(operated, ANN, scope=scope, why=why, until=until)
    found = suppressing.check(operated, ANN)
    scopes = ["tag:list=news", "domain:xn--bcher-kva.test"]
    assert [(one.scope, one.why, one.until) for one in found.entries] == [
        (scopes[0], "unsubscribe", until),
        (scopes[1], "manual", until),
    ]
    assert not sent(account, tags={"list": "news"})
    assert sent(account, tags={"list": "offers"})
    left = suppressing.remove(operated, ANN, "tag:list=news")
    assert [one.scope for one in left.entries] == scopes[1:]


@pytest.mark.parametrize("until", [None, datetime.now(UTC) + timedelta(days=1)])
def test_an_entry_that_ends_no_sooner_stays(account: Account, until: datetime | None) -> None:
    operated = deployment(account)
    suppressing.add(operated, ANN, by="bob")
    done = suppressing.add(operated, ANN, until=until, by="cat")
    assert [(one.by, one.until) for one in done.entries] == [("bob", None)]
    assert "by an entry that was there, and ends no sooner; it stays as it is" in done.words


def test_an_entry_that_is_over_suppresses_nothing(account: Account) -> None:
    over = entry(until=datetime.now(UTC) - timedelta(seconds=1))
    asyncio.run(know(account, ANN, over))
    found = suppressing.check(deployment(account), ANN)
    assert (found.words, len(found.entries)) == ("not suppressed", 1)
    asyncio.run(know(account, ANN, entry("tag:list=news")))
    assert suppressing.check(deployment(account), ANN).words.startswith(
        "suppressed: tag:list=news;"
    )


@pytest.mark.parametrize(
    ("address", "more", "said"),
    [
        ("ann", {}, "ann is no email address; nor a hash"),
        ("0123456789ABCDEF", {}, "is no email address; nor a hash"),
        (ANN, {"scope": "news"}, "--scope news: must be all, domain:example.com"),
        (ANN, {"scope": "tag:news"}, "--scope tag:news: must be"),
        (ANN, {"scope": "domain:"}, "must be all, domain:"),
        (
            ANN,
            {"scope": "domain:*.shop.test"},
            r"--scope domain:\*.shop.test: must be all, domain:",
        ),
        (ANN, {"scope": "domain:info@shop.test"}, "must be all, domain:"),
        (ANN, {"scope": "domain:shop.test "}, "must be all, domain:"),
        (ANN, {"until": datetime(2026, 1, 1, tzinfo=UTC)}, "over already, nothing is changed"),
    ],
)
def test_what_can_not_be_meant_is_said(
    account: Account, address: str, more: dict[str, str], said: str
) -> None:
    with pytest.raises(Problem, match=said):
        suppressing.add(deployment(account), address, **more)  # type: ignore[arg-type]


def test_what_is_not_there_can_not_be_removed(account: Account) -> None:
    operated = deployment(account)
    with pytest.raises(Problem, match="it has no entry: nothing is changed"):
        suppressing.remove(operated, ANN)
    suppressing.add(operated, ANN)
    with pytest.raises(Problem, match="it has no entry of scope tag:a=b: nothing is changed"):
        suppressing.remove(operated, ANN, "tag:a=b")


def test_to_look_makes_no_key(account: Account) -> None:
    found = suppressing.check(deployment(account), ANN)
    assert (found.hash, found.entries, found.words) == ("", [], "nothing is known of it")
    assert account.rows() == []
    with pytest.raises(Problem, match="no email address"):
        suppressing.check(deployment(account), "ann@")


def test_all_entries_are_found_among_other_rows(account: Account) -> None:
    operated = deployment(account)
    sent(account)
    for number in range(30):
        suppressing.add(operated, f"to{number}@example.org", scope=f"tag:n={number}")
    asyncio.run(damage(account, ANN))
    told: list[tuple[int, int]] = []
    found = suppressing.entries(operated, lambda done, of: told.append((done, of)))
    assert {one.scope for one in found.entries} == {f"tag:n={number}" for number in range(30)}
    assert (found.addresses, found.damaged, found.erased) == (30, 1, 0)
    assert found.rows == told[-1][0] > 31
    assert [one.since for one in found.entries] == sorted(
        (one.since for one in found.entries), reverse=True
    )


def test_a_table_that_fails_is_said_in_words_that_help(account: Account) -> None:
    ill = deployment(account, dynamodb=account.dynamodb(batch_get_item=failing("AccessDenied")))
    with pytest.raises(Problem, match="can't be used: AccessDenied: these credentials may not"):
        suppressing.check(ill, ANN)
    asyncio.run(damage(account, ANN))
    for work in (suppressing.check, suppressing.add):
        with pytest.raises(Problem, match="row of that address holds what ion hasn't written"):
            work(deployment(account), ANN)
    assert suppressing.entries(deployment(account), silent).damaged == 1
