"""Input that can't become an email."""

from ion.outcome import Problem, Reason


class BadInput(Exception):  # noqa: N818 - it names the input, not a fault of ours
    """A message that is wrong in itself: trying it again can't help.

    Args:
        reason: the stable code that goes onto the dead letter.
        path: JSONPath of what is wrong ("$.recipient[0]"). Never the value.
        problem: for INVALID_SCHEMA: in what way.
        did_you_mean: for an unknown field: the known one that it resembles, if any.
        detail: for people, where there is more to say: of a template, its file and line.
    """

    def __init__(
        self,
        reason: Reason,
        path: str,
        problem: Problem | None = None,
        did_you_mean: str = "",
        *,
        detail: str = "",
    ) -> None:
        more = f", did you mean {did_you_mean}?" if did_you_mean else ""
        said = f": {problem}{more}" if problem else ""
        super().__init__(f"{reason} at {path}{said}" + (f" ({detail})" if detail else ""))
        self.reason = reason
        self.path = path
        self.problem = problem
        self.did_you_mean = did_you_mean
        self.detail = detail
