"""Which action is next."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat

from smtp_server.actions import NORMAL, Action, Step


@dataclass(frozen=True)
class Moment:
    """What a script that is a function decides by.

    Attributes:
        step: The step to answer.
        session: The connection's number, from 1.
        nth: The occurrence of the step over all sessions, from 1.
        nth_in_session: The same within this session.
        argument: What follows the verb; for RCPT the address.
    """

    step: Step
    session: int
    nth: int
    nth_in_session: int
    argument: str


Rule = Action | Iterable[Action]
"""One action: each time. Several: one an occurrence, over all sessions, then normal."""

Script = Mapping[Step, Rule] | Callable[[Moment], Action]


def last_repeats(*actions: Action) -> Iterable[Action]:
    """One action an occurrence, and the last for ever."""
    return chain(actions, repeat(actions[-1]))


class Player:
    """Hands out a script's actions. A rule for a recipient goes before the script."""

    def __init__(self, script: Script | None, recipients: Mapping[str, Rule] | None) -> None:
        self._decide = script if callable(script) else None
        steps = {} if script is None or callable(script) else script
        self._steps = {step: _endless(rule) for step, rule in steps.items()}
        self._recipients = {
            address.lower(): _endless(rule) for address, rule in (recipients or {}).items()
        }
        self._seen: Counter[Step | tuple[Step, int]] = Counter()

    def take(self, step: Step, session: int, argument: str) -> Action:
        self._seen.update([step, (step, session)])
        if step is Step.RCPT and argument.lower() in self._recipients:
            return next(self._recipients[argument.lower()])
        if self._decide is not None:
            nth, nth_in_session = self._seen[step], self._seen[step, session]
            return self._decide(Moment(step, session, nth, nth_in_session, argument))
        return next(self._steps[step]) if step in self._steps else NORMAL


def _endless(rule: Rule) -> Iterator[Action]:
    return repeat(rule) if isinstance(rule, Action) else chain(rule, repeat(NORMAL))
