"""What a publisher is told when an email wasn't published."""

from ion.contract import BadInput
from ion.contract.hints import hint
from ion.outcome import Problem, Reason

_SAID = {
    Reason.INVALID_ADDRESS: "is no address",
    Reason.HEADER_NAME: "is no header that may be set",
    Reason.HEADER_VALUE: "can't be written",
    Reason.TOO_LARGE: "is too much",
}
_HOW = {
    Problem.MISSING: "is missing",
    Problem.UNKNOWN: "is unknown",
    Problem.TYPE: "is of the wrong type",
    Problem.VALUE: "has a value that isn't allowed",
    Problem.DUPLICATE: "is there twice",
}


class InvalidMessage(ValueError):  # noqa: N818 - it names the message, not a fault of ours
    """A message that the relay would have dead-lettered; nothing was published.

    The text never repeats a value, so that it may be logged.

    Args:
        path: JSONPath of what is wrong, in the names of the contract: `$.recipient[0]`.
        problem: what is wrong there, in words.
        did_you_mean: for an unknown field: the known one that it resembles, if any.
        reason: the code that the dead letter would have borne.
    """

    def __init__(
        self,
        path: str,
        problem: str,
        did_you_mean: str = "",
        reason: Reason = Reason.INVALID_SCHEMA,
    ) -> None:
        more = f"; did you mean {did_you_mean}?" if did_you_mean else ""
        super().__init__(path, problem, did_you_mean, reason)  # all of it, for pickle
        self.path = path
        self.problem = problem
        self.did_you_mean = did_you_mean
        self.reason = reason
        self._text = f"{path} {problem}{more}"

    def __str__(self) -> str:
        return self._text

    @classmethod
    def of(cls, bad: BadInput) -> "InvalidMessage":
        """What the relay would have found."""
        said = _HOW[bad.problem] if bad.problem else _SAID.get(bad.reason, "")
        words = filter(None, (said, hint(bad.reason, bad.path, bad.problem), bad.detail))
        return cls(bad.path, ": ".join(words) or bad.reason, bad.did_you_mean, bad.reason)


def invalid(
    reason: Reason, path: str, problem: Problem | None = None, did_you_mean: str = ""
) -> InvalidMessage:
    """What the relay would have found."""
    return InvalidMessage.of(BadInput(reason, path, problem, did_you_mean))


class PublishFailed(Exception):  # noqa: N818 - as above
    """SNS didn't confirm that it has the message. It may have it all the same.

    Sent again under the same `email_id`, with the same content, the email goes out once.

    Args:
        email_id: of the email, or of the one to be cancelled; empty: it was a redrive.
        code: of AWS (`Throttling`, `AuthorizationError`), or the name of botocore's exception.
    """

    def __init__(self, email_id: str, code: str) -> None:
        super().__init__(email_id, code)
        self.email_id = email_id
        self.code = code

    def __str__(self) -> str:
        return f"not published: {self.code}"
