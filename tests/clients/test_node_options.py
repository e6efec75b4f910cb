"""What a mail of nodemailer's has that was meant for ion is read, or refused; never left out."""

import re
from typing import Any

import pytest

from clients.nodemailer import HI, NODE, Nodemailer
from clients.spelling import spelled
from ion.contract import Send, read_time
from real import npm

OPTIONS = {
    *("to", "cc", "bcc", "from", "replyTo", "subject", "text", "html", "attachments", "headers"),
    *("emailId", "inDoubt", "lane", "tenant", "sendAt", "expiresAt", "tags"),
    "unsubscribe",
}
TEMPLATES = {"template", "context", "locale"}
"""Fields of ion's messages that plugins of nodemailer have for their own, and render themselves."""


@pytest.fixture(scope="module")
def of_nodemailer() -> set[str]:
    """All options that a mail of nodemailer's may have, by its own types."""
    folder = npm.modules(NODE) / "nodemailer/dist/cjs"
    types = "".join(
        (folder / file).read_text(encoding="utf-8").split(f"interface {name} ")[1].split("\n}")[0]
        for file, name in (
            ("mail-composer/index.d.ts", "MailComposerOptions"),
            ("mailer/mail-message.d.ts", "SendMailOptions"),
        )
    )
    return set(re.findall(r"^    (\w+)\?:", types, re.MULTILINE))


def test_an_option_that_is_nearly_one_of_ours_is_refused(
    nodemailer: Nodemailer, of_nodemailer: set[str]
) -> None:
    names = {name for one in OPTIONS | {*Send.__struct_fields__} for name in spelled(one)}
    wrong = sorted(
        names - OPTIONS - of_nodemailer - {one for one in TEMPLATES for one in spelled(one)}
    )
    assert {"not_before", "notBefore", "send_at", "sendat", "Lane", "tag", "expires-at"} <= {*wrong}
    wrong += ["sendAfter", "expires", "expireAt", "emailID", "return-path", "attachment"]
    results = nodemailer.send(*({**HI, name: {}} for name in wrong))
    assert [result.get("part", result) for result in results] == wrong
    assert all("did you mean" in result["error"] for result in results)


def test_the_option_that_was_meant_is_named(nodemailer: Nodemailer) -> None:
    meant = {
        "not_before": "sendAt",
        "sendAfter": "sendAt",
        "expires": "expiresAt",
        "tag": "tags",
        "Lane": "lane",
        "tenantId": "tenant",
        "recipient": "to",
        "return_path": "envelope.from",
    }
    results = nodemailer.send(*({**HI, name: "x"} for name in meant))
    assert [one["error"].rpartition(" mean ")[2] for one in results] == [
        f"{name}?" for name in meant.values()
    ]


def test_the_options_of_nodemailer_go_on_to_work(
    nodemailer: Nodemailer, of_nodemailer: set[str]
) -> None:
    values: dict[str, Any] = {
        "encoding": "base64",
        "textEncoding": "base64",
        "priority": "normal",
        "xMailer": "x",
        "attachments": [],
    }
    assert {"date", "encoding", "priority", "references", "signal"} <= of_nodemailer
    names = sorted(of_nodemailer - {"signal", "dsn"})
    results = nodemailer.send(*({name: values.get(name, False), **HI} for name in names))
    assert not [(name, one) for name, one in zip(names, results, strict=True) if "error" in one]
    assert len(nodemailer.published()) == len(names)


def test_options_of_plugins_go_on_to_work(nodemailer: Nodemailer) -> None:
    theirs: list[dict[str, Any]] = [
        *({name: "x"} for name in TEMPLATES),
        *(
            {"layout": "x"},
            {"lang": "de"},
            {"object": 5},
            {"email": "x"},
            {"two": 2},
            {"x" * 101: 5},
        ),
        *({"tag": None}, {"not_before": None}),
    ]
    results = nodemailer.send(*(HI | one for one in theirs))
    assert not [one for one in results if "error" in one]
    assert len(nodemailer.published()) == len(theirs)


def test_a_template_that_no_plugin_has_rendered_is_refused(nodemailer: Nodemailer) -> None:
    names = ["template", "context", "locale", "templateId"]
    results = nodemailer.send(*({"to": "ann@example.org", name: "x"} for name in names))
    assert [result.get("part", result) for result in results] == names


def test_a_misspelt_option_of_the_transport_is_told_at_once(nodemailer: Nodemailer) -> None:
    for wrong, meant in (("topic_arn", "topicArn"), ("bulkTopicARN", "bulkTopicArn")):
        with pytest.raises(AssertionError, match=f"{wrong} is unknown; did you mean {meant}"):
            nodemailer.send(HI, options={wrong: nodemailer.arn})


@pytest.mark.parametrize("zone", ["Z", "+01:00", "-01:00"])
def test_a_time_is_one_to_the_relay_or_refused(nodemailer: Nodemailer, zone: str) -> None:
    """The year 0 and the tenth thousand, in UTC, are no times to the relay."""
    days = ["0000-06-01", "0001-01-01", "2026-02-29", "2028-02-29", "2026-04-31", "2100-02-29"]
    times = [f"{day}T00:30:00{zone}" for day in days] + [f"9999-12-31T23:30:00{zone}"]
    results = nodemailer.send(*({**HI, "expiresAt": time} for time in times))
    assert [time for time, one in zip(times, results, strict=True) if "error" not in one] == [
        time for time in times if is_time(time)
    ]
    assert {one.expires_at for one in nodemailer.published().values()} == {*filter(is_time, times)}


def is_time(text: str) -> bool:
    try:
        read_time(text)
    except ValueError:
        return False
    return True
