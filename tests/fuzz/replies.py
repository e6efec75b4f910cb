"""What a server may say, to the real parser and the classifier."""

import re
from dataclasses import dataclass, field
from random import Random

from fuzz.mutation import cut, flipped, spliced
from fuzz.stream import MOST_UNREAD_BYTES, READ_BYTES, Heard, hear
from ion.outcome import Stage
from ion.smtp.replies import classify, leaves_in_step
from ion.smtp.stream import MAX_REPLY_BYTES, Stream
from smtp.corpus import corpus
from smtp.invariants import assert_consistent

_TOKENS = (
    *(b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\n", b" ", b"-", b"\t", b"\0", b".", b"=", b"\xff"),
    *b"250 |250-|354 |421 |450 |452 4.5.3 |550 |552 |554-|555|000 |099 |199 |600 |999 ".split(b"|"),
    *b"25|2500 |+250|4.7.1 |5.4.5|5.2.251 |4.2.2 |5.3.4 |2.0.0 |5.999.999 |5.7.1.1 ".split(b"|"),
    *b"Greylisted|rate limit|relay access denied|daily limit|too many|quota".split(b"|"),
    *("5.\u0661.\u0661 ".encode(), "5.\uff17.1 ".encode()),  # digits, but not those of SMTP
    *("é".encode(), "😀".encode(), b"\xf0\x9f", b"\xed\xa0\x80", "\u2028".encode(), b"\x1b[2J"),
)
_ONE_REPLY = re.compile(rb"([2-5][0-9][0-9])(?:-[^\n]*\n\1)*(?: [^\n]*|\r*)\n")
"""RFC 5321 section 4.2 as one expression, where the parser goes line by line."""
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
"""RFC 3463 section 2."""
_STAGES = tuple(Stage)[tuple(Stage).index(Stage.CONNECT) :]


@dataclass(frozen=True, slots=True)
class Said:
    """One stream, how it arrives, and what it answers."""

    octets: bytes
    chunks: list[bytes] = field(repr=False)
    at_once: bool
    stage: Stage
    after_accepted: bool


class Replies:
    """Streams made of real replies and damage.

    Args:
        parser: the parser under test.
        far_too_long: share of the streams that go to the limit of a reply, and beyond. Such a one
            costs a thousand times as much as another.
    """

    def __init__(self, parser: type[Stream] = Stream, far_too_long: float = 0.002) -> None:
        self._parser = parser
        self._far_too_long = far_too_long
        self._seen = corpus()

    def draw(self, random: Random) -> Said:
        """A stream: real replies, mostly damaged; sometimes noise, sometimes far too much."""
        seen = random.choice(self._seen)
        octets = seen.octets
        while random.random() < 0.3:
            octets += random.choice(self._seen).octets
        if random.random() < 0.05:
            octets = random.randbytes(random.randrange(200))
        for _ in range(random.choice((0, 1, 1, 2, 3, 8))):
            if random.random() < 0.2:
                octets = flipped(random, octets)
            else:
                octets = spliced(random, octets, _TOKENS)
        if random.random() < self._far_too_long:
            octets = self._far_too_much(random, octets)
        return Said(
            octets,
            cut(random, octets, READ_BYTES),
            random.random() < 0.5,
            seen.stage if random.random() < 0.5 else random.choice(_STAGES),
            random.random() < 0.5,
        )

    def _far_too_much(self, random: Random, octets: bytes) -> bytes:
        """Around the limit, and beyond: long lines, long replies, and many short ones."""
        size = random.choice((MAX_REPLY_BYTES - 1, MAX_REPLY_BYTES, MAX_REPLY_BYTES + 1, 1 << 17))
        unit = (
            random.choice((octets, octets.replace(b" ", b"-"), b"x", b"250-x\r\n", b"\n")) or b"x"
        )
        return (octets + unit * (size // len(unit) + 1))[:size] + random.choice((b"", b"\r\n"))

    async def check(self, said: Said) -> None:
        """Whatever is wrong with what the parser and the classifier make of it.

        Raises:
            AssertionError: what was promised doesn't hold.
            Exception: anything but the parser's documented two.
        """
        heard = await hear(said.chunks, at_once=said.at_once, parser=self._parser)
        assert heard.end is not None, "a stream that ended was waited for"
        assert heard.most_unread <= MOST_UNREAD_BYTES, f"{heard.most_unread} octets held"
        if len(said.octets) <= MAX_REPLY_BYTES:  # beyond it, when it is read decides
            await self._check_grammar(said, heard)
        for reply in heard.replies:
            assert 200 <= reply.code <= 599, f"code {reply.code}"
            assert reply.enhanced is None or _ENHANCED.fullmatch(reply.enhanced), reply.enhanced
            assert len(reply.text) <= MAX_REPLY_BYTES, f"text of {len(reply.text)}"
            assert isinstance(leaves_in_step(said.stage, reply), bool)
            outcome = classify(said.stage, reply, after_accepted=said.after_accepted)
            assert_consistent(said.stage, reply, outcome)

    async def _check_grammar(self, said: Said, heard: Heard) -> None:
        whole = [said.octets[i : i + READ_BYTES] for i in range(0, len(said.octets), READ_BYTES)]
        other = await hear(whole, at_once=not said.at_once, parser=self._parser)
        assert heard.told == other.told, f"chunk borders matter: {heard.told} or {other.told}"
        codes, at = [], 0
        while found := _ONE_REPLY.match(said.octets, at):
            codes.append(int(found[1]))
            at = found.end()
        told = [reply.code for reply in heard.replies]
        assert told == codes, f"codes {told}, by the grammar {codes}"
