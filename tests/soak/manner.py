"""How a life's mail server lets itself be spoken to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """What it offers.

    Args:
        pipelining: an envelope in one flight, beside the dot of the email before.
        window: emails whose content may be in flight on one connection; more than one: CHUNKING.
    """

    pipelining: bool = False
    window: int = 1

    @property
    def chunking(self) -> bool:
        return self.window > 1

    @property
    def astray(self) -> int:
        """Emails whose content may still be on its way to a server that has lost the thread."""
        return self.window if self.chunking else 0


def manner(life: int, seed: int, window: int) -> Manner:
    """Turn and turn about, so that even a few lives have them all; the seed says who begins.

    Args:
        life: number of whose server it is.
        seed: of the soak.
        window: that ion is allowed; above 1, every other server offers CHUNKING.
    """
    plain, pipelining = Manner(), Manner(pipelining=True)
    manners = [pipelining, plain]
    if window > 1:
        chunking = Manner(pipelining=True, window=window)
        manners = [chunking, pipelining, chunking, plain]
    return manners[(life + seed) % len(manners)]
