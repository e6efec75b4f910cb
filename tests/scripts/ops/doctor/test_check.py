"""Checks are run so that each ends, and none harms another."""

import threading
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from ion.aws.table import TableError
from ionctl.ops.doctor.check import Check, NotKnownError, ok, run
from ionctl.ops.result import Finding, Grade
from ionctl.problem import Problem


def look_after(error: Exception) -> Iterator[Finding]:
    yield ok("a", "before")
    raise error


def test_a_check_that_fails_spares_what_it_found_and_the_others() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied"}}, "GetRole")
    told: list[str] = []
    found = run(
        [
            Check("a", "first", lambda: look_after(denied)),
            Check("b", "second", lambda: look_after(NotKnownError("nobody answers"))),
            Check("c", "third", lambda: look_after(ZeroDivisionError("canary"))),
            Check("c", "publishing", lambda: look_after(Problem("there is no topic"))),
            Check("d", "last", lambda: [ok("d", "well")]),
        ],
        told.append,
    )
    assert told == ["first", "second", "third", "publishing", "last"]
    failed = [one for one in found if one.grade is not Grade.OK]
    assert [(one.check, one.grade) for one in failed] == [
        ("a", Grade.SKIPPED),
        ("b", Grade.SKIPPED),
        ("c", Grade.WARNING),
        ("c", Grade.WRONG),
    ]
    assert "these credentials may not do that" in failed[0].found
    assert failed[1].found == "nobody answers"
    assert "third: a fault of ionctl's own, ZeroDivisionError at test_check.py:" in failed[2].found
    assert "canary" not in failed[2].found
    assert [one.found for one in found if one.grade is Grade.OK] == ["before"] * 4 + ["well"]


@pytest.mark.parametrize(
    ("code", "grade", "words"),
    [
        ("ResourceNotFoundException", Grade.WRONG, "something is gone"),
        ("AccessDeniedException", Grade.SKIPPED, "these credentials may not do that"),
        ("ControlUnreadable", Grade.SKIPPED, "can't be looked at: ControlUnreadable"),
    ],
)
def test_what_the_table_refuses_is_told_by_aws_s_own_error(
    code: str, grade: Grade, words: str
) -> None:
    def look() -> Iterator[Finding]:
        error = TableError(code)
        if code != "ControlUnreadable":
            error.__cause__ = ClientError({"Error": {"Code": code}}, "BatchGetItem")
        return look_after(error)

    *_, found = run([Check("paused", "pauses and stops", look)], lambda _says: None)
    assert found.grade is grade
    assert words in found.found


def test_a_check_that_never_ends_is_left_behind() -> None:
    for_ever = threading.Event()

    def hang() -> Iterator[Finding]:
        yield ok("a", "before")
        for_ever.wait()

    checks = [Check("a", "what is silent", hang, seconds=0.2), Check("b", "next", list)]
    before, left = run(checks, lambda _says: None)
    for_ever.set()
    assert before.found == "before"
    assert left.found == "what is silent: no answer within 0.2 s"


def test_a_check_knows_what_the_one_before_has_found() -> None:
    known: list[str] = []

    def learn() -> list[Finding]:
        known.append("server")
        return []

    def checks() -> Iterator[Check]:
        yield Check("a", "first", learn)
        for one in known:
            yield Check("b", one, lambda: [ok("b", "asked")])

    assert [one.check for one in run(checks(), lambda _says: None)] == ["b"]
