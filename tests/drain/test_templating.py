"""When the templates of a run are looked at anew, how often they are rendered, what that costs."""

from datetime import UTC, datetime

import pytest

from ion.contract import BadInput, Send
from ion.deadline import Deadline
from ion.drain.templating import Templates, TooLateError
from ion.limits import BEGIN_BUDGET_SECONDS, SETTLE_SECONDS
from ion.mail import check
from ion.report.telemetry import Telemetry
from ion.template import Renderer
from template.rendering import Texts

NOW = 1_000_000.0
FILES: dict[str, str | bytes] = {
    "welcome/subject.txt.j2": "Welcome",
    "welcome/body.txt.j2": "{{ text }}",
    "welcome/body.html.j2": "<p>{{ text }}",
    "broken/body.txt.j2": "{{ oops",
}


class Noted(Texts):
    """Notes how fresh a list was wanted, and the files that were chosen from it and used."""

    def __init__(self) -> None:
        super().__init__(FILES)
        self.wanted: list[float] = []
        self.used: list[str] = []

    def refresh(self, not_before: float) -> bool:
        self.wanted.append(not_before)
        return False

    def version(self, name: str) -> str:
        self.used.append(name)
        return super().version(name)


def templates(files: Noted, seconds: float = 600) -> Templates:
    deadline = Deadline(seconds, clock=lambda: 0.0)
    return Templates(Renderer(files), Telemetry(), deadline, now=lambda: NOW)


def sending(template: str = "welcome", text: str = "x") -> Send:
    return Send(recipient="ann@example.org", template=template, context={"text": text})


async def test_files_of_the_last_minute_are_new_enough() -> None:
    files = Noted()
    await templates(files).check(sending())
    assert files.wanted == [NOW - 60]


async def test_a_failure_of_files_of_now_is_believed_at_once() -> None:
    files = Noted()
    with pytest.raises(BadInput):
        await templates(files).check(sending("broken"))
    assert files.wanted == [NOW - 60, NOW]
    assert files.used == ["broken/body.txt.j2"], "rendered once, as it is the same list"


async def test_only_the_bodies_are_rendered_again_to_be_sent() -> None:
    files = Noted()
    send, bodies = await templates(files).check(sending())
    assert send.subject == "Welcome"
    files.used.clear()
    made = await bodies.templates.render(bodies)
    assert (made.text, made.html) == ("x", "<p>x")
    assert {name.rpartition("/")[2] for name in files.used} == {"body.txt.j2", "body.html.j2"}


async def test_what_there_is_no_time_left_to_send_is_not_rendered() -> None:
    least = BEGIN_BUDGET_SECONDS + SETTLE_SECONDS
    await templates(Noted(), least).check(sending())
    files = Noted()
    with pytest.raises(TooLateError):
        await templates(files, least - 1).check(sending("broken"))
    assert files.wanted == []


@pytest.mark.parametrize("character", "xé€🎉")
async def test_bodies_cost_at_least_what_is_made_of_them(character: str) -> None:
    send, bodies = await templates(Noted()).check(sending(text=character * 20_000))
    email = await bodies.of(check(send, key="k", default_sender="ion@example.org"))
    assert bodies.work_bytes >= 2 * (email.email(datetime.now(UTC)).size - 2000)
