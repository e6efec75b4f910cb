"""What the page offers to copy publishes the message that is in its field."""

import json
import shlex
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from clients.nodemailer import NODE as NODE_PACKAGES
from clients.nodemailer import Nodemailer
from clients.topic import Topic
from emulated import REGION
from ion.contract import Send, parse
from ion.mail import recipients
from ionctl.local import ministack
from real import npm
from real.unavailable import UnavailableError, skipped_unless_available
from scripts.console.page.fake_api import ROOT, STATIC

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.json"))
NODE = shutil.which("node")
WHOLE = {
    "action": "send",
    "recipient": ["ann@example.org", {"email": "bob@example.org", "name": "Bob"}],
    "cc": "kim@example.org",
    "sender": "Shop <post@example.org>",
    "subject": "Grüße \U0001f48c",
    "body_text": 'two\nlines, "quoted"',
    "body_html": "<p>two\\lines</p>",
    "email_id": "order-17",
    "headers": {"X-Order": "17"},
    "tags": {"campaign": "spring"},
    "in_doubt": "park",
    "attachments": [{"filename": "a.txt", "content": "YQ==", "content_type": "text/plain"}],
}
REDRIVE = {"action": "redrive", "where": {"reason": ["EXPIRED"]}, "max": 5, "dry_run": True}
CANCEL = {"action": "cancel", "email_id": "order-17"}
PAUSE = {"action": "pause", "lane": "bulk"}


@pytest.fixture(autouse=True)
def _node_is_there() -> None:
    with skipped_unless_available():
        if not NODE:
            raise UnavailableError("there is no node")


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield Topic()


def node(*arguments: str, text: str) -> str:
    done = subprocess.run(
        [str(NODE), *arguments], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def snippets(texts: list[str], *, bulk: bool = False, **about: object) -> list[dict[str, str]]:
    known = {"region": REGION, **about}
    script = Path(__file__).with_name("snippets.mjs")
    asked = json.dumps([[text, known, bulk] for text in texts])
    module = str(STATIC / "js" / "publish" / "snippets.js")
    made: list[dict[str, str]] = json.loads(node(str(script), module, text=asked))
    return made


def words(command: str) -> list[str]:
    return shlex.split(command.replace("\\\n", " "))


def run(program: str) -> None:
    exec(compile(program, "snippet", "exec"), {})


def test_the_aws_cli_is_given_the_message(topic: Topic) -> None:
    texts = [file.read_text("utf-8") for file in EXAMPLES]
    texts.append(json.dumps({"action": "send", "recipient": "o'neill@example.org", "subject": "'"}))
    for text, made in zip(texts, snippets(texts, topic_arn=topic.arn), strict=True):
        command = words(made["AWS CLI"])
        assert command[:3] == ["aws", "sns", "publish"]
        assert command[command.index("--topic-arn") + 1] == topic.arn
        assert json.loads(command[command.index("--message") + 1]) == json.loads(text)


def test_the_local_stack_is_named_in_each() -> None:
    (made,) = snippets(
        ["{}"], topic_arn="t", environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    )
    assert all("AWS_ENDPOINT_URL=http://127.0.0.1:4566" in one for one in made.values())
    assert words(made["AWS CLI"])[1] == "aws"


@pytest.mark.parametrize("bulk", [False, True])
def test_python_publishes_the_message(topic: Topic, bulk: bool) -> None:
    (made,) = snippets(
        [json.dumps(WHOLE)], bulk=bulk, topic_arn=topic.arn, bulk_topic_arn=topic.bulk_arn
    )
    run(made["Python"])
    (published,) = topic.bulk if bulk else topic.messages
    wanted = {**WHOLE, "lane": "bulk"} if bulk else WHOLE
    assert parse(json.dumps(published)) == parse(json.dumps(wanted))


@pytest.mark.parametrize("message", [REDRIVE, CANCEL, PAUSE, {**REDRIVE, "where": {"path": "$"}}])
def test_python_asks_for_what_the_message_asks_for(
    topic: Topic, message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")  # not everybody has one
    (made,) = snippets([json.dumps(message)], topic_arn=topic.arn)
    run(made["Python"])
    (published,) = topic.messages
    assert parse(json.dumps(published)) == parse(json.dumps(message))


@pytest.fixture(scope="module")
def nodemailer(dynamodb_endpoint: str) -> Nodemailer:
    with skipped_unless_available():
        return Nodemailer(dynamodb_endpoint, npm.modules(NODE_PACKAGES))


@pytest.mark.parametrize("bulk", [False, True])
def test_nodejs_publishes_the_message(nodemailer: Nodemailer, tmp_path: Path, bulk: bool) -> None:
    about = {"topic_arn": nodemailer.arn, "bulk_topic_arn": nodemailer.bulk_arn}
    (made,) = snippets([json.dumps(WHOLE)], bulk=bulk, **about)
    assert "nodemailer" in made["Node.js"]
    assert nodemailer.run(made["Node.js"], tmp_path).strip() == WHOLE["email_id"]
    (published,) = nodemailer.bulk if bulk else nodemailer.bodies
    sent = parse(published)
    assert isinstance(sent, Send)
    wanted = parse(json.dumps({**WHOLE, "lane": "bulk"} if bulk else WHOLE))
    assert isinstance(wanted, Send)
    for one in ("email_id", "subject", "body_text", "body_html", "headers", "tags", "in_doubt"):
        assert getattr(sent, one) == getattr(wanted, one), one
    assert (sent.lane, recipients(sent)) == (wanted.lane, recipients(wanted))
    assert sent.attachments is not None
    (attached,) = sent.attachments
    assert b64decode(str(attached.content)) == b"a"


@pytest.mark.parametrize("message", [REDRIVE, CANCEL, PAUSE])
def test_nodejs_asks_for_what_the_message_asks_for(
    nodemailer: Nodemailer, tmp_path: Path, message: dict[str, Any]
) -> None:
    (made,) = snippets([json.dumps(message)], topic_arn=nodemailer.arn, region=ministack.REGION)
    nodemailer.run(made["Node.js"], tmp_path)
    (published,) = nodemailer.bodies
    assert parse(published) == parse(json.dumps(message))


def test_nodejs_is_given_the_fields_that_nodemailer_knows(tmp_path: Path) -> None:
    texts = [file.read_text("utf-8") for file in EXAMPLES]
    for text, made in zip(texts, snippets(texts, topic_arn="arn"), strict=True):
        script = tmp_path / "snippet.cjs"
        script.write_text(made["Node.js"], "utf-8")
        node("--check", str(script), text="")
        sends = json.loads(text)["action"] == "send"
        elsewhere = {"template", "context", "locale", "return_path"} & json.loads(text).keys()
        assert ("nodemailer" in made["Node.js"]) == (sends and not elsewhere), text
