"""The AWS clients of one Lambda: real, but for the trouble that was drawn."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ReadTimeoutError

from clock import Clock
from emulated import Account, Answer, Between, Request, as_strict_as_sqs, at_once, error
from machine.books import CONTROL_KEY
from machine.faults import AwsFault, Plan, Seam, Trouble
from machine.queues import Backlog
from machine.simulated_time import Later

if TYPE_CHECKING:
    Do = Callable[[Request], Any]

_CALL_SECONDS = 0.005
"""What a call takes. Without it a redrive could not tell what died before it from what died of it:
all would happen in the same moment."""
_NO_ANSWER = frozenset({Trouble.THROTTLED, Trouble.LOST})
_ENTRIES = {"Entries", "Statements"}


class KilledError(BaseException):
    """The process is dead: nothing of it goes on."""


class Owner(Protocol):
    """Whose clients these are."""

    dead: bool

    def kill(self) -> None:
        """Die here."""

    def noticed(self, seam: Seam, request: Request, answer: Any) -> None:  # noqa: ANN401
        """A call took effect."""


class Seams:
    """Account for SQS and DynamoDB with trouble in between.

    Args:
        account: where the calls go.
        owner: who makes them.
        clock: a call takes time.
        plan: trouble, lulls and limits.
    """

    def __init__(
        self,
        account: Account,
        owner: Owner,
        clock: Clock,
        plan: Plan,
    ) -> None:
        self._owner = owner
        self._plan = plan
        self._clock = clock
        self._dead_url, self._input_url = account.dead_url, account.input_url
        self._calls: Counter[Seam] = Counter()
        self.fired: list[AwsFault] = []
        """The trouble that there was, once for each call."""
        self.looks: list[tuple[float, bool]] = []
        """When the control row was read, and whether it could be."""
        self.sqs: Between = account.sqs(
            receive_message=self._queue(Seam.RECEIVE, Seam.DIG, self._unless_empty),
            delete_message_batch=self._queue(Seam.DELETE, Seam.FORGET),
            change_message_visibility_batch=self._queue(Seam.POSTPONE, Seam.PUT_BACK),
            send_message_batch=self._send,
        )
        self.dynamodb: Between = account.dynamodb(
            batch_execute_statement=self._table(Seam.WRITE, Seam.STEER),
            batch_get_item=self._table(Seam.READ, Seam.LOOK),
        )

    def _queue(self, seam: Seam, dead_seam: Seam, usual: Answer | None = None) -> Answer:
        def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
            here = dead_seam if request["QueueUrl"] == self._dead_url else seam
            return self._call(here, _as_usual(real, usual), request)

        return answer

    def _send(self, real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        seams = {self._dead_url: Seam.BURY, self._input_url: Seam.REVIVE}
        seam = seams.get(request["QueueUrl"], Seam.MOVE)
        return self._call(seam, _as_usual(real, as_strict_as_sqs), request)

    def _table(self, seam: Seam, control_seam: Seam) -> Answer:
        def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
            here = control_seam if CONTROL_KEY in str(request) else seam
            return self._call(here, _as_usual(real, None), request)

        return answer

    def _unless_empty(self, real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        """A run that waits for a slow server asks every second; the way through boto3 is long."""
        backlog = Backlog(request["QueueUrl"].rpartition("/")[2])
        most = request["MaxNumberOfMessages"]
        if self._plan.most_in_flight is not None:
            most = min(most, self._plan.most_in_flight - backlog.in_flight)
        if most <= 0 or not backlog.visible:
            return {}
        return at_once(real, request | {"MaxNumberOfMessages": most})

    def _call(self, seam: Seam, do: "Do", request: Request) -> Any:  # noqa: ANN401
        if self._owner.dead:
            raise KilledError
        self._clock.passes(_CALL_SECONDS)
        nth = self._calls[seam]
        self._calls[seam] += 1

        def done() -> Any:  # noqa: ANN401
            answer = do(request)
            self._owner.noticed(seam, request, answer)
            return answer

        fault = next((one for one in self._plan.aws if one.is_due(seam, nth)), None)
        if seam is Seam.LOOK:
            answered = fault is None or fault.trouble not in _NO_ANSWER
            self.looks.append((self._clock(), answered))
        if fault is not None:
            self.fired.append(fault)
            return self._troubled(fault, request, do, done)
        if seam is Seam.WRITE and self._plan.lull_seconds:
            raise Later(self._plan.lull_seconds, done)
        return done()

    def _troubled(
        self, fault: AwsFault, request: Request, do: "Do", done: Callable[[], Any]
    ) -> Any:  # noqa: ANN401
        match fault.trouble:
            case Trouble.KILLED_BEFORE:
                self._owner.kill()
                raise KilledError
            case Trouble.KILLED_AFTER:
                done()
                self._owner.kill()
                raise KilledError
            case Trouble.THROTTLED:
                raise error("ThrottlingException")
            case Trouble.LOST:
                done()
                raise ReadTimeoutError(endpoint_url="aws")
            case Trouble.REPEATED:
                done()
                return done()
            case Trouble.SLOW:
                raise Later(fault.seconds, done)
            case Trouble.SLOW_ANSWER:
                answer = done()
                raise Later(fault.seconds, lambda: answer)
            case Trouble.REFUSED | Trouble.HALF_REFUSED:
                half = fault.trouble is Trouble.HALF_REFUSED
                return self._refused(fault.seam, request, do, half=half)

    def _refused(self, seam: Seam, request: Request, do: "Do", *, half: bool) -> Any:  # noqa: ANN401
        """An answer that says it didn't do all that it was asked."""
        if seam in (Seam.RECEIVE, Seam.DIG):
            return {}  # SQS may miss what is there
        if seam in (Seam.READ, Seam.LOOK):
            return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
        (name,) = _ENTRIES & request.keys()
        entries = request[name]
        good = entries[::2] if half else []
        answer: Any = {}
        if good:
            answer = do(request | {name: good})
            self._owner.noticed(seam, request | {name: good}, answer)
        if seam in (Seam.WRITE, Seam.STEER):
            done = iter(answer.get("Responses", ()))
            no = {"Error": {"Code": "ThrottlingError"}}
            return {"Responses": [next(done) if entry in good else no for entry in entries]}
        bad = [entry for entry in entries if entry not in good]
        return {**answer, "Failed": [{"Id": one["Id"], "Code": "InternalError"} for one in bad]}


def _as_usual(real: Callable[..., Any], usual: Answer | None) -> "Do":
    if usual is None:
        return lambda request: real(**request)
    return lambda request: usual(real, request)
