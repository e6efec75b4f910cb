"""ionctl check, as a person or a program types it."""

import json
from pathlib import Path

import msgspec

from function import email
from ionctl.ops.result import Checks
from terminal import Ionctl

RIGHT = email(email_id="order-17")
WRONG = '{"action": "send",\n "recipeint": "ann@example.org",\n "body_text": "x"}'


def test_what_is_right_is_ok_and_says_what_it_is(ionctl: Ionctl, tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text(RIGHT)
    ran = ionctl("check", file)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"{file}: ok: send, order-17, {len(RIGHT)} octets\n"


def test_what_is_wrong_is_told_with_its_file_line_and_column(
    ionctl: Ionctl, tmp_path: Path
) -> None:
    (tmp_path / "right").write_text(RIGHT)
    (tmp_path / "wrong").write_text(WRONG)
    ran = ionctl("check", tmp_path / "right", tmp_path / "wrong", "-", stdin="{broken")
    assert ran.status == 1
    assert ran.out.splitlines()[1:] == [
        f"{tmp_path}/wrong:2:2: unknown field recipeint: did you mean recipient? (INVALID_SCHEMA)",
        "-:1:2: this is no JSON (BAD_JSON)",
    ]
    ran = ionctl("--json", "check", tmp_path / "right", tmp_path / "wrong")
    assert ran.status == 1
    found = msgspec.json.decode(ran.out, type=Checks)
    assert [one.ok for one in found.files] == [True, False]


def test_warnings_are_no_fault(ionctl: Ionctl) -> None:
    body = json.dumps({"action": "send", "recipient": "ann@example.org", "body_text": "x"})
    ran = ionctl("check", "-", stdin=body)
    assert ran.status == 0
    assert "-: warning: sender: none is given" in ran.out
    ran = ionctl("check", "-", "--sender", "ion@example.org", stdin=body)
    assert "sender" not in ran.out


def test_a_file_that_can_not_be_read_is_told(ionctl: Ionctl, tmp_path: Path) -> None:
    ran = ionctl("check", tmp_path / "none")
    assert (ran.status, ran.err) == (
        2,
        f"ionctl: {tmp_path}/none can't be read: No such file or directory\n",
    )
    (tmp_path / "latin").write_bytes(b'{"subject": "Gr\xfc\xdfe"}')
    ran = ionctl("check", tmp_path / "latin")
    assert "is no UTF-8, which JSON is written in" in ran.err


def test_the_others_are_checked_beside_a_file_that_is_missing(
    ionctl: Ionctl, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text(RIGHT)
    (tmp_path / "b").write_text(WRONG)
    ran = ionctl("check", tmp_path / "none", tmp_path / "a", tmp_path / "b", "/dev/zero")
    assert ran.status == 2
    assert [line.partition(": ")[0] for line in ran.out.splitlines()] == [
        f"{tmp_path}/a",
        f"{tmp_path}/b:2:2",
    ]
    assert ran.err.splitlines() == [
        f"ionctl: {tmp_path}/none can't be read: No such file or directory",
        "ionctl: /dev/zero has more than 16,777,216 octets, and no message has",
    ]
