"""Files of `--once`: those that are published, and those that come of it."""

import glob
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ionctl.local.fate import Fate
from ionctl.local.mail_session import Arrived
from ionctl.local.outcomes import Event
from ionctl.problem import Problem


def read(names: Sequence[str]) -> list[tuple[Path, bytes]]:
    """Give each file with what is in it.

    Args:
        names: of files; a pattern (`*.json`) that the shell has left as it is will do as well.

    Raises:
        Problem: one can't be read.
    """
    files = [file for name in names for file in _named(name)]
    try:
        return [(file, file.read_bytes()) for file in files]
    except OSError as error:
        raise Problem(f"{error.filename} can't be read: {error.strerror}") from error


def _named(name: str) -> list[Path]:
    if Path(name).exists() or not glob.has_magic(name):
        return [Path(name)]
    found = sorted(map(Path, glob.glob(name, recursive=True)))  # noqa: PTH207 - absolute ones, too
    if not found:
        raise Problem(f"no file is called {name}")
    return found


def make_folder(out: Path) -> None:
    """Find out at once whether something can be written to `out`.

    Raises:
        Problem: it can't.
    """
    if out.exists() and not out.is_dir():
        raise Problem(f"--out {out}: is no folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise Problem(f"{out} can't be written to: {error.strerror}") from error


def write(fates: Sequence[Fate], out: Path) -> None:
    """Write each email and each dead letter into `out`, in the place of an earlier run's.

    Raises:
        Problem: it can't be written to.
    """
    taken: Counter[str] = Counter()
    try:
        for fate in fates:
            stem = fate.file.stem
            for old in (f"{stem}.eml", f"{stem}.dead-letter.json"):
                if not taken[old]:
                    (out / old).unlink(missing_ok=True)  # an earlier run's
            for email in fate.emails:
                (out / _free(f"{stem}.eml", taken)).write_bytes(_delivered(email))
            for dead in fate.dead_letters:
                text = json.dumps(
                    {"body": dead.body, "attributes": dead.attributes}, indent=2, ensure_ascii=False
                )
                name = _free(f"{stem}.dead-letter.json", taken)
                (out / name).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise Problem(f"{out} can't be written to: {error.strerror}") from error


def write_events(events: Sequence[Event], out: Path) -> None:
    """Write `events.jsonl` into `out`, a line each, in the place of an earlier run's.

    Raises:
        Problem: it can't be written to.
    """
    lines = "".join(f"{json.dumps(event, ensure_ascii=False)}\n" for event in events)
    try:
        (out / "events.jsonl").write_text(lines, encoding="utf-8")
    except OSError as error:
        raise Problem(f"{out} can't be written to: {error.strerror}") from error


def _delivered(email: Arrived) -> bytes:
    """Give an email as a mailbox keeps it: its envelope's sender on top (RFC 5321 section 4.4)."""
    return f"Return-Path: <{email.sender}>\r\n".encode() + email.content


def _free(name: str, taken: Counter[str]) -> str:
    """Give the name, or for a second one of the same name `NAME-2`."""
    taken[name] += 1
    stem, dot, suffix = name.partition(".")
    return name if taken[name] == 1 else f"{stem}-{taken[name]}{dot}{suffix}"
