"""ionctl send: an email of options, or a whole message, published."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from ion.contract import Lane
from ion.outcome import Problem as Wrong
from ionctl.cli.check import fault_lines
from ionctl.cli.conditions import given, tags, typed
from ionctl.cli.output import errors, show
from ionctl.cli.reading import attachment, text_of
from ionctl.cli.target import Target, on_target
from ionctl.ops import publishing
from ionctl.ops.deployment import Deployment
from ionctl.ops.json_change import compact
from ionctl.ops.life import life
from ionctl.ops.result import Fault, Life, LifeState, Published, Sent
from ionctl.printable import printable
from ionctl.problem import Problem, UsageProblem
from ionctl.program import command

_LOCAL_SECONDS, _AWS_SECONDS = 1.0, 3.0
"""Between two looks of --wait."""
_ENDS = {
    LifeState.SENT,
    LifeState.DEAD_LETTERED,
    LifeState.IN_DOUBT,
    LifeState.CANCELLED,
    LifeState.SCHEDULED,
    LifeState.SUPPRESSED,
    LifeState.BOUNCED,
}

_OPTIONS = {
    "recipient": "--to",
    "cc": "--cc",
    "bcc": "--bcc",
    "sender": "--from",
    "reply_to": "--reply-to",
    "subject": "--subject",
    "body_text": "--text",
    "body_html": "--html",
    "attachments": "--attach",
    "template": "--template",
    "context": "--context",
    "locale": "--locale",
    "tags": "--tag",
    "unsubscribe": "--unsubscribe-from",
    "headers": "--header",
    "lane": "--lane",
    "not_before": "--not-before",
    "expires_at": "--expires-at",
    "email_id": "--id",
}
"""By field: the option that it comes from."""
_NEEDED = {
    "$.recipient": "--to, --cc or --bcc",
    "$.body_text": "--text, --html, --html-file or --template",
    "$.template": "--template: --context and --locale are a template's",
}
_SAID = 100
"""Characters of a value that are said again: not a whole text."""

_Several = Annotated[list[str] | None, typer.Option(metavar="ADDRESS", help="Also several times.")]
_Time = Annotated[str | None, typer.Option(metavar="TIME", help="2027-03-08T09:00:00+01:00.")]


@on_target
def send(  # noqa: PLR0913 - an option a field
    target: Target,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A whole message; -: standard input.")
    ] = None,
    *,
    to: _Several = None,
    cc: _Several = None,
    bcc: _Several = None,
    sender: Annotated[
        str | None, typer.Option("--from", metavar="ADDRESS", help="Default: the relay's own.")
    ] = None,
    reply_to: _Several = None,
    subject: Annotated[str | None, typer.Option(metavar="TEXT", help="The subject.")] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="The text.")] = None,
    html: Annotated[str | None, typer.Option(metavar="HTML", help="The HTML.")] = None,
    html_file: Annotated[str | None, typer.Option(metavar="FILE", help="The HTML.")] = None,
    attach: Annotated[
        list[Path] | None, typer.Option("--attach", metavar="FILE", help="Also several times.")
    ] = None,
    template: Annotated[
        str | None, typer.Option(metavar="NAME", help="In place of a text.")
    ] = None,
    context: Annotated[
        str | None, typer.Option(metavar="FILE", help="The template's data, a JSON object.")
    ] = None,
    locale: Annotated[str | None, typer.Option(metavar="TAG", help="Of the template.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Also several times.")
    ] = None,
    unsubscribe: Annotated[
        bool, typer.Option("--unsubscribe", help="With a link by which its recipient unsubscribes.")
    ] = False,
    unsubscribe_from: Annotated[
        str | None, typer.Option(metavar="TAG", help="The same; of several tags that one.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", metavar="NAME:VALUE", help="Also several times.")
    ] = None,
    lane: Annotated[Lane | None, typer.Option(metavar="LANE", help="normal or bulk.")] = None,
    not_before: _Time = None,
    expires_at: _Time = None,
    email_id: Annotated[
        str | None, typer.Option("--id", metavar="KEY", help="Its email_id; default: a new one.")
    ] = None,
    bulk: Annotated[bool, typer.Option("--bulk", help="By the topic for bulk.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Until it is sent; else exit with 1.")
    ] = False,
    timeout: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="Of --wait.")] = 120,
) -> None:
    """Publish an email, once it is checked as the relay would check it. Prints its email_id.

    With --wait it prints what became of it as well, and exits with 1 unless it was sent.
    """
    fields = given(
        recipient=_one_or_all(to),
        cc=_one_or_all(cc),
        bcc=_one_or_all(bcc),
        sender=sender,
        reply_to=_one_or_all(reply_to),
        subject=subject,
        body_text=text,
        body_html=text_of(html_file) if html_file else html,
        attachments=[attachment(one) for one in attach or ()],
        template=template,
        context=_context(context),
        locale=locale,
        tags=tags(tag or ()),
        unsubscribe=unsubscribe_from or unsubscribe or None,
        headers=_headers(header or ()),
        lane=lane,
        not_before=not_before,
        expires_at=expires_at,
        email_id=email_id,
    )
    if (file is None) == (not fields):
        raise UsageProblem("say what to send: --to, --subject, --text …, or a FILE, or - alone")
    body = text_of(file) if file else compact({"action": "send", **fields})
    deployment = target.deployment()
    checked = publishing.check(body, file or "the email", default_sender=deployment.default_sender)
    if not checked.ok:
        if file is None:
            raise UsageProblem(_wrong(checked.faults[0], fields))
        errors.print(Text(printable("\n".join(fault_lines(checked)))), soft_wrap=True)
        raise typer.Exit(1)
    done = publishing.publish(deployment, body, bulk=bulk)
    if not wait or not done.email_id:
        _tell(target, done)
        return
    if not target.as_json:
        errors.print(Text(printable(f"published {done.email_id}")))
    found = _fate(
        deployment, done.email_id, timeout, _LOCAL_SECONDS if target.local else _AWS_SECONDS
    )
    show(
        target, Sent(published=done, life=found), Text(printable(f"{done.email_id}: {found.words}"))
    )
    if found.state is not LifeState.SENT:
        raise typer.Exit(1)


def _tell(target: Target, done: Published) -> None:
    """The email_id alone on standard output, for `id=$(ionctl send …)`; beside it what follows."""
    if target.as_json or done.email_id:
        show(target, done, Text(printable(done.email_id)))
    if not target.as_json:
        # of an order, or a claim check, there is no email_id to be followed
        follows = f"{command('show')} {done.email_id}" if done.email_id else command("status")
        errors.print(Text(printable(f"published: {follows}")), soft_wrap=True)


def _wrong(fault: Fault, fields: dict[str, object]) -> str:
    """What is wrong with the email, by the option that it comes from."""
    if fault.problem == Wrong.MISSING:
        return f"the email needs {_NEEDED.get(fault.path, fault.path)}"
    field = fault.path.removeprefix("$.")
    option = _OPTIONS.get(field.partition("[")[0].partition(".")[0])
    words = fault.words.removeprefix(field).strip()
    if option is None:
        return fault.words
    value = typed(fields, fault.path)
    return f"{option} {value}: {words}" if 0 < len(value) < _SAID else f"{option}: {words}"


def _fate(deployment: Deployment, email_id: str, timeout: int, pause: float) -> Life:
    """Its life once it has had its fate, or so many seconds are over."""
    ends = time.monotonic() + timeout
    while True:
        found = life(deployment, email_id)
        if found.state in _ENDS:
            return found
        if time.monotonic() >= ends:
            return life(deployment, email_id, with_cause=True)
        time.sleep(pause)


def _one_or_all(addresses: list[str] | None) -> str | list[str] | None:
    return addresses[0] if addresses and len(addresses) == 1 else addresses


def _context(file: str | None) -> Any:  # noqa: ANN401 - any JSON
    if file is None:
        return None
    try:
        return json.loads(text_of(file))
    except ValueError as error:
        raise Problem(f"--context {file} is no JSON: {error}") from error


def _headers(headers: list[str] | tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in headers:
        name, colon, value = one.partition(":")
        if not colon:
            raise UsageProblem(f"--header {one}: write it as NAME:VALUE")
        found[name.strip()] = value.strip()
    return found
