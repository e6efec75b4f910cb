"""The whole way of a click: an email with a link, the function's URL, the row of the address."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from email import message_from_bytes

import pytest

from at_length import only_at_length
from ionctl.local.stack import Method, Stack

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture(
    scope="module",
    params=[Method.BOTO3, pytest.param(Method.TERRAFORM, marks=only_at_length)],
)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    with Stack(request.param) as stack:
        yield stack


def answer(url: str, body: bytes | None = None, method: str | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def scopes(stack: Stack) -> list[str]:
    """Of each address that is on the list."""
    found = stack.aws.dynamodb.scan(TableName=stack.names.table)["Items"]
    rows = [row for row in found if row["email_id"]["S"].startswith(" address ")]
    assert not any("example.org" in json.dumps(row) for row in rows)
    states = [json.loads(row["address"]["S"]) for row in rows]
    return [entry["scope"] for state in states for entry in state["suppressions"]]


@pytest.mark.row(86)
def test_a_click_in_a_real_email_is_noted_for_that_tag_alone(stack: Stack) -> None:
    for number, lists in enumerate(("news", "offers")):
        about = {"email_id": f"{lists}-1", "tags": {"list": lists}, "unsubscribe": True}
        stack.publish(
            {"action": "send", "recipient": "ann@example.org", "body_text": "hi", **about}
        )
        stack.wait_for_emails(number + 1, 60)
    links = [
        re.findall(r"^<(http://127\.0\.0\.1:\d+/\S+/u/[\w-]+)>$", header)[0]
        for one in stack.mailbag.emails
        if (header := message_from_bytes(one.content)["List-Unsubscribe"])
    ]
    assert len(set(links)) == 2
    news = links[0]

    status, html = answer(news)
    assert (status, "Unsubscribe" in html) == (200, True)
    assert answer(news, method="HEAD")[0] == 200
    assert answer(news + "A", ONE_CLICK)[0] == 403
    assert answer(news, b"hi")[0] == 400
    assert answer(news, ONE_CLICK, "PUT")[0] == 405
    assert scopes(stack) == []

    for _ in range(2):
        assert answer(news, ONE_CLICK)[0] == 200
    assert scopes(stack) == ["tag:list=news"]
    events = stack.aws.logs.filter_log_events(logGroupName=stack.names.unsubscribe_log_group)
    said = json.dumps(events["events"])
    assert "example.org" not in said
    assert news.rpartition("/")[2] not in said
