"""ionctl suppress and erase, as a person types them."""

import csv
import io
from pathlib import Path

import msgspec
import pytest

from ionctl.ops.result import AddressKnown, Erased, Imported, SuppressionEntries
from relays import Operated
from terminal import Ionctl

ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.mark.usefixtures("local")
def test_an_address_is_added_looked_up_and_removed(ionctl: Ionctl) -> None:
    ran = ionctl("--local", "suppress", "add", ANN, "--for", "30d", "--by", "cat")
    assert ran.status == 0, ran.err
    first, second = ran.out.splitlines()[0], ran.out.splitlines()[-1]
    assert ": no mail of scope all goes to it until " in first
    assert second.startswith("  all: manual, since ")
    assert second.endswith(", by cat")
    ran = ionctl("--local", "--json", "suppress", "check", ANN)
    known = msgspec.json.decode(ran.out, type=AddressKnown)
    assert [(one.scope, one.by) for one in known.entries] == [("all", "cat")]
    ran = ionctl("--local", "suppress", "list")
    assert f"{known.hash}  all" in ran.out
    assert "1 entry of 1 address; the list has keyed hashes" in ran.out
    assert ANN not in ran.out
    ran = ionctl("--local", "suppress", "remove", known.hash)
    assert (ran.status, ran.out.splitlines()[0][:30]) == (0, f"{known.hash}: removed: all"[:30])
    ran = ionctl("--local", "suppress", "remove", ANN)
    assert (ran.status, ran.err) == (1, "ionctl: it has no entry: nothing is changed\n")


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "ann"], "ann is no email address"),
        (["add", ANN, "--scope", "news"], "--scope news: must be all"),
        (["add", ANN, "--until", "tomorrow"], "--until must be a time with a zone"),
        (["add", ANN, "--until", "2020-01-01T00:00:00Z"], "over already"),
        (["add", ANN, "--until", "2099-01-01T00:00:00Z", "--for", "1h"], "one of them is enough"),
        (["add", ANN, "--for", "long"], "--for long: must be an age"),
        (["import", "no-such-file"], "no-such-file can't be read: No such file"),
    ],
)
def test_what_can_not_be_meant_is_said(ionctl: Ionctl, words: list[str], said: str) -> None:
    ran = ionctl("--local", "suppress", *words)
    assert ran.status in (1, 2)
    assert said in ran.err


@pytest.mark.usefixtures("local")
def test_a_file_is_imported_and_the_list_exported_and_read_again(
    ionctl: Ionctl, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"email,reason\n{ANN},bounce\nnobody,bounce\n{BOB},unsubscribe\n")
    ran = ionctl("--local", "suppress", "import", file, "--dry-run")
    assert ran.out.startswith("addresses: 3 entries; would be new: 2, would be changed: 0")
    ran = ionctl("--local", "suppress", "import", file)
    assert ran.status == 1
    assert ran.out.splitlines() == [
        "addresses: 3 entries; new: 2, changed: 0, there already: 0",
        "no address, or one that can't be read, in line (of JSON: entry) 3: left out",
    ]
    ran = ionctl("--local", "--json", "suppress", "import", "-", stdin=f"{ANN}\n{BOB}\n")
    done = msgspec.json.decode(ran.out, type=Imported)
    assert (ran.status, done.new, done.unchanged) == (0, 0, 2)
    ran = ionctl("--local", "suppress", "export")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert sorted(row["why"] for row in rows) == ["bounce", "unsubscribe"]
    assert ran.err == ("2 entries; the list has keyed hashes: addresses can't be read out of it\n")
    exported = tmp_path / "export.csv"
    assert ionctl("--local", "suppress", "export", exported).status == 0
    assert exported.read_text() == ran.out
    again = ionctl("--local", "suppress", "export", exported)
    assert (again.status, again.err) == (
        1,
        f"ionctl: {exported} is there already: name another one\n",
    )
    assert exported.read_text() == ran.out
    ran = ionctl("--local", "suppress", "import", exported)
    assert ran.out == "ionctl suppress export: 2 entries; new: 0, changed: 0, there already: 2\n"
    ran = ionctl("--local", "--json", "suppress", "export")
    found = msgspec.json.decode(ran.out, type=SuppressionEntries)
    assert {one.hash for one in found.entries} == {row["hash"] for row in rows}
    exported = tmp_path / "export.json"
    assert ionctl("--local", "--json", "suppress", "export", exported).status == 0
    ran = ionctl("--local", "suppress", "import", exported)
    assert ran.out == "ionctl suppress export: 2 entries; new: 0, changed: 0, there already: 2\n"


@pytest.mark.usefixtures("local")
def test_what_is_left_out_of_a_file_is_named_by_its_line(ionctl: Ionctl, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"email,until,scope\n{ANN},yesterday,\n{BOB},,news\n{BOB},,\n{BOB},,all\n")
    ran = ionctl("--local", "suppress", "import", file)
    assert ran.status == 1
    assert ran.out.splitlines() == [
        "addresses: 4 entries; new: 1, changed: 0, there already: 0; twice in the file: 1",
        (
            "line (of JSON: entry) 2: until yesterday: no time that is known, write "
            "2027-03-08T09:00:00Z: left out"
        ),
        (
            "line (of JSON: entry) 3: scope news: must be all, domain:example.com (of From) or "
            "tag:NAME=VALUE: left out"
        ),
    ]


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_what_excel_saves_is_read(ionctl: Ionctl, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "excel.csv"
    file.write_bytes(f"\ufeffsep=;\r\nemail;note\r\n{ANN};a,b\r\n".encode(encoding))
    ran = ionctl("--local", "suppress", "import", file)
    assert (ran.status, ran.out) == (
        0,
        "addresses: 1 entry; new: 1, changed: 0, there already: 0\n",
    )


@pytest.mark.usefixtures("local")
def test_a_file_that_is_too_large_is_not_read(ionctl: Ionctl, tmp_path: Path) -> None:
    file = tmp_path / "disk.img"
    with file.open("wb") as opened:
        opened.truncate((64 << 20) + 1)
    for one in (file, "/dev/zero"):
        ran = ionctl("--local", "suppress", "import", one)
        assert (ran.status, ran.err) == (
            1,
            f"ionctl: {one} has more than 64 MiB, the most that is read: split it\n",
        )


def test_an_erasure_is_asked_about_and_says_what_is_left(local: Operated, ionctl: Ionctl) -> None:
    url = local.names.dead_letter_queue_url
    alone = f'{{"action": "send", "recipient": "{ANN}", "body_text": "x"}}'
    both = f'{{"action": "send", "recipient": ["{ANN}", "{BOB}"], "body_text": "x"}}'
    local.queued(alone, url, attributes={"reason": "RCPT_REJECTED"})
    shared = local.queued(both, url, attributes={"reason": "RCPT_REJECTED"})
    ran = ionctl("--local", "erase", ANN)
    assert (ran.status, "say --yes" in ran.err) == (1, True)
    assert ionctl("--local", "erase", ANN, typed="n\n").err.endswith("nothing is changed\n")
    ran = ionctl("--local", "--json", "erase", ANN, "--dry-run")
    looked = msgspec.json.decode(ran.out, type=Erased)
    assert (ran.status, len(looked.deleted), looked.shared) == (1, 1, [shared])
    ran = ionctl("--local", "erase", ANN, "--yes")
    assert ran.status == 1, "a letter is left"
    lines = ran.out.splitlines()
    assert "dead letters deleted: 1" in lines
    assert f"  ionctl --local dead discard {shared}" in lines
    assert any(line.startswith("nothing published by ") for line in lines)
    local.queued(both)
    ran_once_more = ionctl("--local", "erase", ANN, "--dry-run")
    assert "; about 1 message waits in all\n" in ran_once_more.out
    assert any(line.startswith("expires by itself: ") for line in lines)
    assert any(line.startswith("lies elsewhere, ") for line in lines)
    assert ANN not in ran.out
    assert ionctl("--local", "dead", "discard", shared, "--yes").status == 0
    ran = ionctl("--local", "erase", ANN, "--yes")
    assert ran.status == 0
    ran = ionctl("--local", "suppress", "check", ANN)
    assert "not suppressed; nothing published by " in ran.out


@pytest.mark.usefixtures("local")
def test_an_erasure_needs_the_address(ionctl: Ionctl) -> None:
    assert "is no email address" in ionctl("--local", "erase", "ann", "--yes").err
    assert "needs the address" in ionctl("--local", "erase", "0123456789abcdef", "--yes").err
