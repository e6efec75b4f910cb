"""Structured events and metrics. Only what is named here is ever written: no body, no address."""

import traceback
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from ion.delivery import Delivery, Status
from ion.history import History
from ion.identity import Identity
from ion.outcome import Outcome, Reason, Scope
from ion.policy.lease import Cancelling, Row
from ion.report.metrics import Metrics
from ion.report.redact import id_in, redact

_METRIC = {
    Status.SENT: "Sent",
    Status.DEFERRED: "Deferred",
    Status.RELEASED: "Released",
    Status.DEAD: "DeadLettered",
    Status.SUPPRESSED: "Suppressed",
}
_NOTICED = {"delivered": "Delivered", "bounced": "Bounced", "complained": "Complained"}
"""The metrics of what providers tell, by what they tell."""


class Telemetry:
    """One JSON line an event, and CloudWatch metrics in the same log (embedded metric format)."""

    def __init__(self) -> None:
        self._logger = Logger(level="INFO", json_serializer=_line, json_deserializer=str)
        self._metrics = Metrics()
        self._in_force: dict[str, str | float] = {}

    def level(self, level: str) -> None:
        """Set the level: "INFO" is one event a message and attempt."""
        self._logger.setLevel(level)

    def attempted(
        self,
        message_id: str,
        history: History,
        row: Row | None,
        delivery: Delivery,
        identity: Identity | None = None,
    ) -> None:
        """Log the fate of a message, or of some of its recipients, in this attempt.

        What is wrong with the site, and not with the message, has an event of the run's own; this
        one is written at the level DEBUG, and counted.
        """
        outcome = delivery.outcome
        log = self._logger.debug if _is_the_runs(delivery) else self._logger.info
        log(
            delivery.status.value,
            extra={
                "email_id": history.email_id,
                "message_id": message_id,
                "attempt": row.attempts + 1 if row else 0,
                "redrives": history.redrives,
                "recipients": len(delivery.recipients),
                "retry_in_seconds": delivery.delay_seconds,
                "path": delivery.path,
                **({"tags": history.tags} if history.tags else {}),
                "server": delivery.server,
                "smtp_ms": round(1000 * delivery.smtp_seconds, 1),
                **_said(outcome, delivery.reply),
                **_problem(delivery),
                **_found_by(delivery, identity or Identity()),
            },
        )
        if delivery.status in _METRIC:
            self._metrics.add(_METRIC[delivery.status], MetricUnit.Count, 1)
        if delivery.status is Status.DEFERRED:  # an alarm holds one against the other
            self._metrics.add(_METRIC[Status.SENT], MetricUnit.Count, 0)
        if delivery.smtp_seconds:
            milliseconds = 1000 * delivery.smtp_seconds
            self._metrics.add("SmtpTime", MetricUnit.Milliseconds, milliseconds)

    def suspended(self, outcome: Outcome, server: str) -> None:
        """The mail server, or our account there, is ill: it isn't tried again in this run."""
        said = _said(outcome, redact(outcome.said))
        self._logger.error("delivery suspended", extra={"server": server, **said})

    def still_suspended(self, server: str, reason: str, error: str, until: int) -> None:
        """An earlier run was turned away in a manner that asks for patience."""
        at = datetime.fromtimestamp(until, UTC).isoformat()
        about = {"server": server, "reason": reason, "reply": error, "next_try": at}
        self._logger.warning("delivery still suspended", extra=about)

    def redriven(self, report: Mapping[str, object], moved: int) -> None:
        """Log the result of a redrive in this run; `moved` letters are in the input queue again."""
        self._logger.info("redrive", extra=report)
        if moved:
            self._metrics.add("Redriven", MetricUnit.Count, moved)

    def steered(self, about: Mapping[str, object]) -> None:
        """An operator's order came by the topic: what is in force now. No condition of a stop."""
        self._logger.info("steered", extra=about)

    def cancelled(self, email_id: str, how: Cancelling, by: str) -> None:
        """An email is not to be sent; `by`: the message that asked for it."""
        about = {"email_id": email_id, "message_id": by}
        if how is Cancelling.TOO_LATE:
            self._logger.info("too_late", extra=about)
        else:
            tried = how is not Cancelling.UNTRIED
            self._logger.info("cancelled", extra={**about, "tried": tried})

    def accepted(self, seconds: float) -> None:
        """A server took an email, so long after it was published, or was due."""
        self._metrics.add("PublishToAccept", MetricUnit.Seconds, max(0.0, seconds))

    def held(self, reason: str, server: str) -> None:
        """Mail waits that should go, and the run is over.

        Args:
            reason: as in the summary.
            server: that let nothing be sent; empty: it was something else.
        """
        self._metrics.count("Held", {"reason": reason, "server": server})

    def on_backup(self, server: str) -> None:
        """The run went over another server than the first."""
        self._metrics.count("OnBackup", {"server": server})

    def on_previous_login(self, server: str) -> None:
        """The run went on with the login before, since the server refuses the one in force."""
        self._logger.warning("the previous login is used", extra={"server": server})
        self._metrics.count("OnPreviousLogin", {"server": server})

    def paused(self, lanes: str) -> None:
        """Lanes were paused in this run."""
        self._metrics.count("Paused", {"lanes": lanes})

    def paced(self, server: str, rate: float | None, connections: int) -> None:
        """Note the rate (recipients a second, if limited) and connections at the end of a run."""
        self._in_force = {"server": server, "connections": connections}
        self._metrics.add("Connections", MetricUnit.Count, connections)
        if rate is not None:
            self._in_force["rate"] = round(rate, 3)
            self._metrics.add("Rate", MetricUnit.CountPerSecond, rate)

    def mistreated(self, server: str, pipelining: str) -> None:
        """The server got several commands in one flight wrong: so much of that is left to it."""
        about = {"server": server, "pipelining": pipelining}
        self._logger.warning("the server mistreats PIPELINING", extra=about)

    def trouble(self, what: str, *, count: int = 1, code: str = "", message_id: str = "") -> None:
        """Something that went wrong and was put right, or will be by the next run."""
        self._logger.warning(what, extra={"count": count, "code": code, "message_id": message_id})

    def misconfigured(self, what: str) -> None:
        """A setting is wrong: nothing was received."""
        self._logger.error("settings", extra={"error": what})
        self._metrics.count("Misconfigured", {})

    def advised(self, what: str) -> None:
        """A setting costs messages their delivery, though the run went on."""
        self._logger.warning("settings", extra={"error": what})

    def fault(self, what: str, error: Exception, message_id: str = "") -> None:
        """A fault of ion's own, with its traceback; not its text, which may quote the message."""
        frames = "".join(traceback.format_tb(error.__traceback__))
        self._logger.error(
            what,
            extra={"message_id": message_id, "error": type(error).__name__, "traceback": frames},
        )

    def noticed(
        self,
        kind: str,
        *,
        email_id: str,
        address: str,
        reason: str,
        reply: str,
        consequence: str,
    ) -> None:
        """A provider has told what became of an email after it took it.

        Deliveries, one an email, are written at the level DEBUG, and counted.

        Args:
            kind: "delivered", "bounced", "complained".
            email_id: empty: of an email that the ledger doesn't know.
            address: the hash of the recipient's; empty: it isn't known.
            reason: in the provider's word.
            reply: what the recipient's server said, redacted.
            consequence: for the address: "nothing", "counted", "suppressed".
        """
        log = self._logger.debug if kind == "delivered" else self._logger.info
        log(
            kind,
            extra={
                "email_id": email_id,
                "address": address,
                "reason": reason,
                "reply": reply,
                "consequence": consequence,
            },
        )
        self._metrics.add(_NOTICED[kind], MetricUnit.Count, 1)

    def ignored(self, what: str) -> None:
        """A provider has told what doesn't matter to ion; `what` is a word of ion's own list."""
        self._logger.debug("notice ignored", extra={"what": what})
        self._metrics.add("NoticesIgnored", MetricUnit.Count, 1)

    def flush(self) -> None:
        """Write the metrics out."""
        self._metrics.flush()

    def ended(self, summary: Mapping[str, object]) -> None:
        """Log the summary of a run, and write the metrics out."""
        self._logger.info("run ended", extra={**summary, **self._in_force})
        self._in_force = {}
        self._metrics.flush()


def _is_the_runs(delivery: Delivery) -> bool:
    """True if the server, or the ledger, wasn't asked about the message, or said no to all."""
    outcome = delivery.outcome
    if delivery.status is Status.RELEASED:
        return outcome.scope is Scope.SITE or not delivery.smtp_seconds
    return outcome.reason is Reason.LEDGER and outcome.scope is Scope.SITE


def _line(event: object) -> str:
    """An event as JSON: as powertools has it, in a quarter of the time."""
    return msgspec.json.encode(event, enc_hook=str).decode()


def _said(outcome: Outcome, reply: str) -> dict[str, str]:
    return {
        "stage": outcome.stage.value,
        "reason": outcome.reason.value,
        "reply": reply,
    }


def _found_by(delivery: Delivery, identity: Identity) -> dict[str, object]:
    """By what an email is found, here and at the server: hashes of the recipients in question."""
    found: dict[str, object] = {}
    if everybody := identity.addresses:
        found["addresses"] = [everybody[i] for i in delivery.recipients] or everybody
    if identity.header_message_id:
        found["header_message_id"] = identity.header_message_id
    if delivery.status is Status.SENT and (name := id_in(delivery.reply)):
        found["queue_id"] = name
    return found


def _problem(delivery: Delivery) -> dict[str, str]:
    """In what way bad input breaks the contract; of other messages there is nothing to say."""
    problem = {"problem": delivery.problem or "", "did_you_mean": delivery.did_you_mean}
    return {name: value for name, value in problem.items() if value}
