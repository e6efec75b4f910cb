"""Emails to publish: the same for the same seed, no two alike, no recipient of two of them."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_MOST_RECIPIENTS = 60
_BIG_BYTES = (100_000, 300_000)
_MIDDLE_BYTES = (5_000, 60_000)
_SMALL_BYTES = (20, 3_000)
_LINES = (
    "An ordinary line of an ordinary email, ",
    ".",
    "..",
    ".a line that begins with a dot",
    "From the beginning of a line, where mbox files have another email",
    "From: nobody, since this is no header",
    "",
    "QUIT",
    "RSET",
    "Grüße aus München, 東京 und Ελλάδα 🎉",
    "250 2.0.0 Ok: queued as 12345",
    "a line beyond what SMTP allows " + "x" * 1200,
    "trailing spaces   ",
)
_NAMES = ("Ann", "Doe, Jane", "Jürgen Müller", "東京 太郎", 'O\'Hara "Bob"', "Ελένη")


@dataclass(frozen=True)
class Email:
    """What is published, and who is to get it.

    Args:
        name: its email_id, and in everything that belongs to it.
        recipients: as they stand in the body: to, cc, bcc; indexes on dead letters count these.
        good: those who must get it, in the order of the envelope; as the server has them.
        strangers: whom the server has no mailbox for.
        odd: who may be no address to the server; it decides.
        subject, text: as a person is to read them.
        body: JSON.
    """

    name: str
    recipients: tuple[str, ...]
    good: tuple[str, ...]
    strangers: tuple[str, ...]
    odd: tuple[str, ...]
    subject: str
    text: str
    body: str = field(repr=False)


def written(count: int, odd: Sequence[str], seed: int = 1) -> Iterator[Email]:
    """Write so many.

    Args:
        count: how many.
        odd: recipients that the server may not take for addresses; `{}` is the email's name.
        seed: of all chances.
    """
    for number in range(count):
        yield _written(number, odd, random.Random(f"{seed}/{number}"))


def _written(number: int, odd: Sequence[str], chance: random.Random) -> Email:
    name = f"e{number:04}"
    good, strangers, odd_ones = _recipients(number, name, odd, chance)
    everybody = [*good, *strangers, *odd_ones]
    chance.shuffle(everybody)
    text = _text(name, number, chance)
    subject = chance.choice(
        (f"Number {name}", f"Grüße, {name}, 東京 🎉", f"{name} " + "long " * 40)
    )
    fields: dict[str, object] = {
        "action": "send",
        "email_id": name,
        "sender": _named(f"{name}@sender.example", chance),
        "subject": subject.strip(),
        "body_text": text,
    }
    if number % 4 == 2:
        fields["body_html"] = "".join(f"<p>{line}</p>\n" for line in text.splitlines())
    to, cc, bcc = _split(everybody, number)
    fields |= {
        key: [_named(address, chance) for address in some]
        for key, some in (("recipient", to), ("cc", cc), ("bcc", bcc))
        if some
    }
    return Email(
        name=name,
        recipients=(*to, *cc, *bcc),
        good=tuple(on_the_wire(address) for address in good),
        strangers=tuple(on_the_wire(address) for address in strangers),
        odd=tuple(odd_ones),
        subject=subject.strip(),
        text=text,
        body=json.dumps(fields, ensure_ascii=bool(number % 2)),
    )


def _recipients(
    number: int, name: str, odd: Sequence[str], chance: random.Random
) -> tuple[list[str], list[str], list[str]]:
    """By number, so that a few emails have some of everything."""
    count, strangers, odd_ones = 1, 0, 0
    match number % 8:
        case 1:
            count, strangers = chance.randint(1, 5), chance.randint(1, 2)
        case 3:
            count, odd_ones = chance.randint(2, 8), 1
        case 5 if number % 16 == 5:
            count = chance.randint(25, _MOST_RECIPIENTS - 3)
            strangers, odd_ones = chance.randint(0, 2), number // 16 % 2
        case 5:
            count = chance.randint(2, 5)
        case 6:
            count = chance.randint(3, 12)
        case 7:
            count, strangers = 0, 1
    domain = "bücher.example" if number % 16 in (0, 14) else "mta.example"
    beyond_ascii = [f"{name}.jürgen@mta.example"] if number % 16 == 13 else []
    return (
        [f"{name}.r{i}@{domain}" for i in range(count)],
        [*(f"{name}.nobody{i}@mta.example" for i in range(strangers)), *beyond_ascii],
        [chance.choice(odd).format(name)] * odd_ones if odd else [],
    )


def _split(everybody: Sequence[str], number: int) -> tuple[list[str], list[str], list[str]]:
    """To, cc and bcc; in the last whom the header must not show where SMTPUTF8 is missing."""
    ascii_only = [address for address in everybody if address.partition("@")[0].isascii()]
    if len(ascii_only) < len(everybody):
        return ascii_only, [], [address for address in everybody if address not in ascii_only]
    if len(everybody) < 3 or number % 8 not in (5, 6):
        return list(everybody), [], []
    third = len(everybody) // 3
    return list(everybody[:third]), list(everybody[third:-third]), list(everybody[-third:])


def _text(name: str, number: int, chance: random.Random) -> str:
    sizes = {2: _BIG_BYTES, 6: _MIDDLE_BYTES, 9: _MIDDLE_BYTES}
    wanted = chance.randint(*sizes.get(number % 12, _SMALL_BYTES))
    lines, size = [f"This is {name}."], 0
    while size < wanted:
        lines.append(chance.choice(_LINES))
        size += len(lines[-1]) + 2
    return "\n".join([*lines, f"That was {name}."])


def _named(address: str, chance: random.Random) -> object:
    if address.startswith('"') or chance.random() < 0.5:
        return address
    return {"email": address, "name": chance.choice(_NAMES)}


def on_the_wire(address: str) -> str:
    """Give an address as the server has it: its domain in A-labels."""
    local_part, _, domain = address.rpartition("@")
    return f"{local_part}@{domain.encode('idna').decode()}"
