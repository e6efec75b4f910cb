"""The function of the links: who may unsubscribe whom, and what a page and a log say."""

import asyncio
import importlib
import json
import re
import sys
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast

import pytest
from botocore.client import BaseClient

from canaries import WORDS, hits
from conftest import Log
from emulated import Account, error
from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.policy.suppression import ALL, tagged
from ion.unsubscribe.token import Subscription, make

ADDRESS = f"{WORDS['recipient']}@{WORDS['domain']}.example"
NEWS = tagged("list", "news")
ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture
def function(account: Account, log: Log, monkeypatch: pytest.MonkeyPatch) -> "Function":
    assert log is not None
    monkeypatch.setenv("ION_AWS_LEDGER_TABLE", account.table)
    for name in [one for one in sys.modules if one.startswith("ion.unsubscribe.handler")]:
        monkeypatch.delitem(sys.modules, name)
    return Function(account)


class Function:
    """In a new execution environment, beside a relay that has sent mail with links."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.entry = importlib.import_module("ion.unsubscribe.handler")
        self.key = b""

    async def link(self, scope: str = NEWS, address: str = ADDRESS) -> str:
        """The path of one."""
        client = cast("Any", self.account.dynamodb())
        self.key = await AddressKey(client, self.account.table).get()
        return f"/u/{make(self.key, Subscription(address_hash(self.key, address), scope))}"

    def ask(self, method: str, path: str, body: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401
        event = {
            "version": "2.0",
            "rawPath": path,
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "requestContext": {"http": {"method": method, "path": path}},
            "body": body,
            "isBase64Encoded": False,
        }
        answer: dict[str, Any] = json.loads(json.dumps(self.entry.run(event | more, None)))
        return answer

    @property
    def suppressed(self) -> list[tuple[str, str]]:
        """Hash and scope of each entry."""
        rows = [one for one in self.account.rows() if str(one["email_id"]).startswith(" address ")]
        return [
            (str(row["email_id"]).removeprefix(" address "), entry["scope"])
            for row in rows
            for entry in json.loads(str(row["address"]))["suppressions"]
        ]


@pytest.mark.row(86)
async def test_one_click_unsubscribes_once_however_often_it_comes(function: Function) -> None:
    path = await function.link()
    for _ in range(3):
        answer = await thread(function.ask, "POST", path, ONE_CLICK)
        assert answer["statusCode"] == 200
        assert "location" not in {name.lower() for name in answer["headers"]}
        assert "set-cookie" not in {name.lower() for name in answer["headers"]}
    hashed = address_hash(function.key, ADDRESS)
    assert function.suppressed == [(hashed, NEWS)]


@pytest.mark.row(86)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_scanner_that_follows_the_link_changes_nothing(
    function: Function, method: str
) -> None:
    path = await function.link()
    before = function.account.rows()
    answer = await thread(function.ask, method, path)
    assert answer["statusCode"] == 200
    assert ("<form" in answer["body"]) == (method == "GET")
    assert function.account.rows() == before


@pytest.mark.row(86)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_forged_link_is_refused(function: Function, method: str) -> None:
    path = await function.link()
    others = make(b"o" * 32, Subscription(address_hash(function.key, ADDRESS), ALL))
    for forged in (path[:-1], path + "A", "/u/", f"/u/{others}", "/u/x", "/u/" + "A" * 5000):
        answer = await thread(function.ask, method, forged, ONE_CLICK)
        assert answer["statusCode"] == 403
        assert "<form" not in answer["body"]
    assert function.suppressed == []


@pytest.mark.row(86)
def test_before_the_first_link_is_made_every_token_is_forged(function: Function) -> None:
    forged = make(b"o" * 32, Subscription("0" * 16, ALL))
    assert function.ask("POST", f"/u/{forged}", ONE_CLICK)["statusCode"] == 403
    assert function.account.rows() == [], "not even the key is made for somebody who guesses"


async def test_the_entry_says_that_the_recipient_unsubscribed_and_has_no_end(
    function: Function,
) -> None:
    before = datetime.now(UTC)
    await thread(function.ask, "POST", await function.link(), ONE_CLICK)
    (text,) = [row["address"] for row in function.account.rows() if "address" in row]
    (entry,) = json.loads(str(text))["suppressions"]
    assert before <= datetime.fromisoformat(entry.pop("since")) <= datetime.now(UTC)
    assert entry == {"scope": NEWS, "why": "unsubscribe"}


async def test_each_link_ends_its_own_mail_alone(function: Function) -> None:
    for scope in (NEWS, ALL, NEWS, tagged("list", "offers")):
        path = await function.link(scope)
        assert (await thread(function.ask, "POST", path, ONE_CLICK))["statusCode"] == 200
    hashed = address_hash(function.key, ADDRESS)
    assert function.suppressed == [(hashed, one) for one in (NEWS, ALL, "tag:list=offers")]


async def test_the_button_of_the_page_does_what_one_click_does(function: Function) -> None:
    path = await function.link()
    html = (await thread(function.ask, "GET", path))["body"]
    (field,) = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', html)
    assert '<form method="post">' in html
    encoded = b64encode("=".join(field).encode()).decode()
    answer = await thread(function.ask, "POST", path, encoded, isBase64Encoded=True)
    assert answer["statusCode"] == 200
    assert len(function.suppressed) == 1


@pytest.mark.parametrize("body", ["", "List-Unsubscribe=Maybe", "{}"])
async def test_a_post_that_is_no_click_changes_nothing(function: Function, body: str) -> None:
    path = await function.link()
    answer = await thread(function.ask, "POST", path, body)
    assert answer["statusCode"] == 400
    assert "<form" in answer["body"], "a person who got there can still press the button"
    assert function.suppressed == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_another_method_is_told_which_there_are(function: Function, method: str) -> None:
    answer = await thread(function.ask, method, await function.link(), ONE_CLICK)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET, HEAD, POST")
    assert function.suppressed == []


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/robots.txt", "/v/token"])
def test_there_is_nothing_else(function: Function, path: str) -> None:
    assert function.ask("GET", path)["statusCode"] == 404


@pytest.mark.parametrize("more", ["/mail", "/u"])
async def test_a_domain_of_ones_own_may_put_more_before_the_path(
    function: Function, more: str
) -> None:
    path = more + await function.link()
    assert (await thread(function.ask, "POST", path, ONE_CLICK))["statusCode"] == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_with_the_table_down_who_asks_is_told_to_come_back(
    function: Function, log: Log, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    path = await function.link()

    def down(*_: object) -> None:
        raise error("InternalServerError")

    monkeypatch.setattr(BaseClient, "_make_api_call", down)
    answer = await thread(function.ask, method, path, ONE_CLICK)
    assert answer["statusCode"] == 503
    assert int(answer["headers"]["Retry-After"]) > 0
    assert [one["code"] for one in log.events] == ["InternalServerError"]


async def test_the_page_runs_and_loads_nothing_and_is_in_no_index(function: Function) -> None:
    answer = await thread(function.ask, "GET", await function.link())
    headers, html = answer["headers"], answer["body"]
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert b64encode(sha256(style.encode()).digest()).decode() in policy
    assert "; form-action 'self'; " in policy, "or a browser wouldn't send the button's form"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script|<img|<link|https?:|style=|\son\w+=", html)


def test_a_forged_link_is_in_the_log(function: Function, log: Log) -> None:
    assert function.ask("GET", "/u/x")["statusCode"] == 403
    assert [one["message"] for one in log.events] == ["a token is no token of this deployment"]


async def test_neither_page_nor_log_has_an_address_or_a_token(function: Function, log: Log) -> None:
    path = await function.link()
    asked: list[tuple[str, str, str]] = [
        *(("GET", path, ""), ("POST", path, ONE_CLICK), ("POST", path, f"{ADDRESS}=1")),
        *(("POST", path + "A", ONE_CLICK), ("PUT", path, ""), ("GET", f"/{ADDRESS}", "")),
        ("GET", f"/u/{ADDRESS}", ""),
    ]
    answers = [await thread(function.ask, *one) for one in asked]
    said = json.dumps(answers) + log.text
    assert hits(said) == []
    assert path.removeprefix("/u/") not in said
    (told,) = [one for one in log.events if one["message"] == "unsubscribed"]
    assert told["address"] == address_hash(function.key, ADDRESS)
    assert told["scope"] == NEWS


async def thread(call: Any, *arguments: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """The entry has an event loop of its own, as in Lambda."""
    answer: dict[str, Any] = await asyncio.to_thread(call, *arguments, **more)
    return answer
