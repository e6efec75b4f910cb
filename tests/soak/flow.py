"""How an email is to travel: by which door and lane, when, with which tags: drawn by the seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

NORMAL, BULK = "normal", "bulk"
CAMPAIGNS = tuple(f"c{number}" for number in range(6))
_KINDS = ({"kind": "offer"}, {"kind": "news"})
BROUGHT_BACK = _KINDS[0]
"""What was stopped of these is redriven in the end; of the others there are letters."""

_BY_THE_BULK_DOOR, _SAYS_BULK, _SAYS_NORMAL = 0.2, 0.1, 0.15
_SCHEDULED, _EXPIRES = 0.08, 0.08
_WAITS_SECONDS, _LIVES_SECONDS = (5, 3 * 3600), (60, 3 * 3600)
"""As many of minutes as of seconds, and as of hours."""
_TAGGED = 0.4
_TENANTS, _OF_A_TENANT = 5, 0.3


@dataclass(frozen=True)
class Flow:
    """Of one email.

    Args:
        door: `BULK`: it is published to the topic for that.
        lane: that it says, if it says one.
        tenant: its MessageGroupId, if it has one.
        not_before: when it may be sent; seconds since the epoch, by the soak's clock.
        expires_at: when it may be sent no more; 0: never.
        tags: its publisher's.
    """

    door: str = NORMAL
    lane: str = ""
    tenant: str = ""
    not_before: float = 0.0
    expires_at: float = 0.0
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_bulk(self) -> bool:
        """True by its door, or by its own word; the word `normal` counts for nothing."""
        return BULK in (self.door, self.lane)

    @property
    def fields(self) -> dict[str, object]:
        """What its message says of it."""
        said = {
            "lane": self.lane,
            "not_before": self.not_before and rfc3339(self.not_before),
            "expires_at": self.expires_at and rfc3339(self.expires_at),
            "tags": self.tags,
        }
        return {name: value for name, value in said.items() if value}


def drawn(chance: random.Random, now: float) -> Flow:
    """One.

    Args:
        chance: draws.
        now: by the soak's clock.
    """
    draw = chance.random()
    begins = now + _spread(chance, _WAITS_SECONDS) if chance.random() < _SCHEDULED else 0.0
    expires = chance.random() < _EXPIRES
    campaign, kind = chance.choice(CAMPAIGNS), chance.choice(_KINDS)
    is_tagged, has_a_tenant = chance.random() < _TAGGED, chance.random() < _OF_A_TENANT
    return Flow(
        door=BULK if chance.random() < _BY_THE_BULK_DOOR else NORMAL,
        lane=BULK if draw < _SAYS_BULK else NORMAL if draw < _SAYS_BULK + _SAYS_NORMAL else "",
        tenant=f"tenant-{chance.randrange(_TENANTS)}" if has_a_tenant else "",
        not_before=begins,
        expires_at=(begins or now) + _spread(chance, _LIVES_SECONDS) if expires else 0.0,
        tags={"campaign": campaign} | kind if is_tagged else {},
    )


def rfc3339(moment: float) -> str:
    """A time as publishers write it."""
    return datetime.fromtimestamp(moment, UTC).isoformat()


def _spread(chance: random.Random, between: tuple[float, float]) -> float:
    """A time between two, on a logarithmic scale."""
    least, most = between
    return float(least * (most / least) ** chance.random())
