"""Many addresses put on the list: all of them, once, whatever breaks off."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from addresses import hash_of, table_of
from draining import email, run, suppression_list
from emulated import Account, Request, failing
from ion.policy.suppression import Why
from ionctl.ops import suppressing, suppression_import
from ionctl.ops.letters import silent
from ionctl.ops.result import Imported
from ionctl.ops.suppression_import import Wishes, import_text
from ionctl.problem import Problem
from operated import deployment

SAMPLES = Path(__file__).parent / "suppressions"
ANN, BOB = "ann@example.org", "bob@example.org"


def imported(
    account: Account,
    text: str,
    wishes: Wishes | None = None,
    *,
    dry_run: bool = False,
    **parts: Any,  # noqa: ANN401
) -> Imported:
    operated = deployment(account, **parts)
    wishes = wishes or Wishes(by="ann")
    return import_text(operated, text, wishes, dry_run=dry_run, progress=silent)


def sample(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8")


def many(count: int) -> str:
    return "email\n" + "".join(f"to{number}@example.org\n" for number in range(count))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again isn't waited for: the emulated table makes no room."""
    monkeypatch.setattr(suppression_import, "_FIRST_PAUSE_SECONDS", 0)


@pytest.mark.row(84)
def test_who_is_in_the_file_gets_no_mail(account: Account) -> None:
    done = imported(account, sample("ses.json"))
    assert (done.format, done.read, done.new) == ("SES suppression list", 2, 2)
    account.publish(email(recipient=ANN, cc=[BOB, "cat@example.org"]))
    summary = run(account, suppressing=suppression_list(account))
    assert (summary.sent, summary.suppressed) == (1, 2)  # a bounce and a complaint
    (entry,) = suppressing.check(deployment(account), ANN).entries
    assert (entry.why, entry.by, entry.since.isoformat()[:10]) == ("complaint", "ann", "2026-04-10")


def test_an_import_that_was_broken_off_goes_on(account: Account) -> None:
    calls = [0]

    def breaks(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        calls[0] += 1
        return real(**request) if calls[0] <= 20 else failing("AccessDenied")(real, request)

    ill = account.dynamodb(batch_execute_statement=breaks)
    with pytest.raises(Problem, match="can't be used: AccessDenied"):
        imported(account, many(1000), dynamodb=ill)
    done = imported(account, many(1000))
    assert done.new + done.unchanged == 1000
    assert 25 <= done.unchanged < 1000
    again = imported(account, many(1000))
    assert (again.new, again.changed, again.unchanged) == (0, 0, 1000)
    assert suppressing.entries(deployment(account), silent).addresses == 1000


def test_a_table_that_throttles_is_given_time(account: Account) -> None:
    calls = [0]

    def throttles(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        """Each third call; of each other one the first ten are written."""
        calls[0] += 1
        if calls[0] % 3 == 0:
            return failing("ThrottlingException")(real, request)
        some = real(Statements=request["Statements"][:10])["Responses"]
        rest = len(request["Statements"]) - len(some)
        return {"Responses": some + [{"Error": {"Code": "ThrottlingError"}}] * rest}

    asyncio.run(hash_of(account, ANN))  # there is a key
    throttling = account.dynamodb(batch_execute_statement=throttles)
    done = imported(account, many(30) + many(8), dynamodb=throttling)
    assert (done.read, done.new) == (39, 30)  # a header is no address
    assert done.unread == [32]
    assert suppressing.entries(deployment(account), silent).addresses == 30


def test_entries_that_are_there_are_kept_beside_new_ones(account: Account) -> None:
    operated = deployment(account)
    suppressing.add(operated, ANN, scope="tag:list=news", why=Why.UNSUBSCRIBE)
    done = imported(account, f"{ANN}\n{BOB}\n{ANN.upper()}\n")
    assert (done.new, done.changed, done.unchanged) == (1, 1, 0)
    scopes = [one.scope for one in suppressing.check(operated, ANN).entries]
    assert scopes == ["tag:list=news", "all"]


def test_who_is_put_there_by_another_meanwhile_has_both_entries(account: Account) -> None:
    asyncio.run(hash_of(account, ANN))  # there is a key
    beside = ["tag:list=news"]

    def faster(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        while beside:
            suppressing.add(deployment(account), ANN, scope=beside.pop())
        return real(**request)

    imported(account, f"{ANN}\n", dynamodb=account.dynamodb(batch_execute_statement=faster))
    scopes = [one.scope for one in suppressing.check(deployment(account), ANN).entries]
    assert scopes == ["tag:list=news", "all"]


def test_what_was_imported_can_be_changed(account: Account) -> None:
    imported(account, f"{ANN}\n")
    suppressing.add(deployment(account), ANN, scope="tag:list=news")
    assert suppressing.remove(deployment(account), ANN).entries == []


def test_a_dry_run_counts_and_writes_nothing(account: Account) -> None:
    done = imported(account, many(250), dry_run=True)
    assert (done.new, done.dry_run, account.rows()) == (250, True, [])
    suppressing.add(deployment(account), "to7@example.org")
    before = account.rows()
    done = imported(account, many(250), dry_run=True)
    assert (done.new, done.unchanged, account.rows()) == (249, 1, before)


def test_lines_without_an_address_are_told_and_left_out(account: Account) -> None:
    done = imported(account, f"email\n{ANN}\nnobody\n\na@b@c\n{BOB}\n")
    assert (done.read, done.new, done.unread) == (4, 2, [3, 5])


def test_all_addresses_of_a_line_are_put_there_and_doubles_are_counted(account: Account) -> None:
    text = f"m1@example.org, m2@example.org; m3@example.org\n{ANN}\n{ANN.upper()}\n"
    done = imported(account, text)
    assert (done.read, done.new, done.twice, done.unread) == (5, 4, 1, [])
    assert suppressing.entries(deployment(account), silent).addresses == 4


def test_addresses_with_names_are_put_there_and_what_is_not_understood_is_told(
    account: Account,
) -> None:
    done = imported(account, f"Ann <{ANN}>; Bob <{BOB}>\ncat@example.org; ask dan@example.org\n")
    assert (done.new, done.unread) == (3, [2])
    for one in (ANN, BOB, "cat@example.org"):
        assert suppressing.check(deployment(account), one).entries


def test_a_line_with_a_wrong_scope_or_time_is_left_out_and_says_why(account: Account) -> None:
    text = f"email,scope,until\n{ANN},news,\n{BOB},all,yesterday\ncat@example.org,all,\n"
    done = imported(account, text)
    assert (done.read, done.new, done.unread) == (3, 1, [])
    assert [one.number for one in done.left_out] == [2, 3]
    scope, until = (one.why for one in done.left_out)
    assert scope.startswith("scope news: must be all, ")
    assert until.startswith("until yesterday: no time")
    for one in (ANN, BOB):
        assert suppressing.check(deployment(account), one).entries == []


def test_of_two_entries_with_different_scopes_none_is_a_double(account: Account) -> None:
    text = f"email,scope\n{ANN},all\n{ANN},tag:list=news\n{ANN},all\n"
    done = imported(account, text)
    assert (done.read, done.new, done.twice) == (3, 1, 1)
    scopes = [one.scope for one in suppressing.check(deployment(account), ANN).entries]
    assert sorted(scopes) == ["all", "tag:list=news"]


def test_mailguns_tags_become_a_scope_if_it_is_said_which(account: Account) -> None:
    text = sample("mailgun-unsubscribes.json")
    with pytest.raises(Problem, match=r"entry 2 is about Mailgun's tag news alone: --tag NAME"):
        imported(account, text)
    imported(account, text, Wishes(tag="list"))
    operated = deployment(account)
    assert [one.scope for one in suppressing.check(operated, ANN).entries] == ["all"]
    scopes = [one.scope for one in suppressing.check(operated, BOB).entries]
    assert scopes == ["tag:list=news", "tag:list=offers"]


@pytest.mark.parametrize("name", ["sendgrid-groups.csv", "sendgrid-groups.json"])
def test_sendgrids_groups_become_a_scope_if_it_is_said_which(account: Account, name: str) -> None:
    text = sample(name)
    with pytest.raises(Problem, match=r"is about SendGrid's group Weekly News alone: --tag NAME"):
        imported(account, text)
    imported(account, text, Wishes(tag="list"))
    for address, scope in ((ANN, "tag:list=Weekly News"), (BOB, "tag:list=Offers")):
        (entry,) = suppressing.check(deployment(account), address).entries
        assert (entry.scope, entry.why) == (scope, "unsubscribe")
    imported(account, text, Wishes(scope="all"))
    scopes = [one.scope for one in suppressing.check(deployment(account), ANN).entries]
    assert scopes == ["tag:list=Weekly News", "all"]


def test_a_scope_may_be_said_for_all(account: Account) -> None:
    imported(account, sample("mailgun-unsubscribes.csv"), Wishes(scope="domain:shop.test"))
    for one in (ANN, BOB):
        (entry,) = suppressing.check(deployment(account), one).entries
        assert entry.scope == "domain:shop.test"
    with pytest.raises(Problem, match="--scope shop: must be all"):
        imported(account, ANN, Wishes(scope="shop"))


def test_what_the_file_says_is_over_is_not_put_there(account: Account) -> None:
    text = f"email,until\n{ANN},2026-01-01T00:00:00Z\n{BOB},2099-01-01T00:00:00Z\n"
    done = imported(account, text)
    assert (done.new, done.over) == (1, 1)
    assert suppressing.check(deployment(account), ANN).entries == []


def test_hashes_are_taken_as_they_are(account: Account) -> None:
    imported(account, "hash,scope,why\n0123456789abcdef,tag:list=news,complaint\n")
    state = asyncio.run(table_of(account).read(["0123456789abcdef"]))["0123456789abcdef"]
    assert [(one.scope, one.why) for one in state.suppressions] == [
        ("tag:list=news", Why.COMPLAINT)
    ]
