"""The inbox over HTTP: what has arrived, and what a reader opens of it."""

import threading
from email.message import EmailMessage

import pytest

from consoles import Mail, Opened, email
from ionctl.console.inbox import MOST, Inbox


def rich() -> EmailMessage:
    message = email(Subject="Grüße", List_Unsubscribe="<https://example.org/u>")
    html = '<p>Hi <img src="cid:logo"><img src="https://tracker.example/x.gif"></p>'
    message.add_alternative(html, subtype="html")
    message.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<logo>")  # type: ignore[index,union-attr]
    message.add_attachment(
        b"<script>alert(1)</script>", maintype="text", subtype="html", filename='a"b;X: y.html'
    )
    return message


def test_a_list_has_the_newest_first_and_no_bodies(opened: Opened) -> None:
    opened.arrives(email(Subject="One").as_bytes())
    newest = opened.arrives(rich().as_bytes(), confirmed=False)
    listed = opened.client.get("/api/inbox").json()
    assert listed["count"] == 2
    first, second = listed["emails"]
    assert (first["id"], first["subject"], second["subject"]) == (newest, "Grüße", "One")
    assert first["from"] == "Bob <bob@example.org>"
    assert (first["to"], first["recipients"]) == (["ann@example.org"], ["ann@example.org"])
    assert first["marks"] == ["html", "text", "attachments", "unsubscribe", "unconfirmed"]
    assert second["marks"] == ["text"]
    assert second["bytes"] == len(email(Subject="One").as_bytes())
    assert first["at"].endswith("Z")
    assert first.keys() == {
        "id", "at", "from", "to", "recipients", "subject", "bytes", "marks", "email_id",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", {"Order 1", "Order 2"}),
        ("order", {"Order 1", "Order 2"}),
        ("ORDER 2", {"Order 2"}),
        ("2 order", {"Order 2"}),
        ("words", {"Order 1", "Order 2"}),
        ("bob@example.org", {"Order 1", "Order 2"}),
        ("nothing", set()),
    ],
)
def test_a_search_finds_what_has_all_its_words(
    opened: Opened, search: str, found: set[str]
) -> None:
    for number in (1, 2):
        opened.arrives(email(Subject=f"Order {number}").as_bytes())
    listed = opened.client.get("/api/inbox", params={"search": search}).json()
    assert {one["subject"] for one in listed["emails"]} == found
    assert listed["count"] == 2, "of the whole inbox"


def test_a_search_finds_who_is_in_the_envelope_alone(opened: Opened) -> None:
    opened.inbox.put(Mail(email().as_bytes(), recipients=("bcc@example.org",)))
    listed = opened.client.get("/api/inbox", params={"search": "bcc@example.org"}).json()
    assert len(listed["emails"]) == 1


@pytest.mark.parametrize(("limit", "count"), [("2", 2), ("0", 0), ("x", 5), ("-1", 5), ("²", 5)])
def test_a_list_is_as_long_as_asked_for(opened: Opened, limit: str, count: int) -> None:
    for _ in range(5):
        opened.arrives(email().as_bytes())
    listed = opened.client.get("/api/inbox", params={"limit": limit}).json()
    assert len(listed["emails"]) == count


def test_one_email_has_its_header_text_and_files(opened: Opened) -> None:
    kept = opened.arrives(rich().as_bytes())
    whole = opened.client.get(f"/api/inbox/{kept}").json()
    assert ["Subject", "Grüße"] in whole["headers"]
    assert whole["text"] == "Some words.\n"
    assert (whole["has_html"], whole["remote"]) == (True, 1)
    image, file = whole["attachments"]
    assert (image["n"], image["content_type"], image["inline"]) == (0, "image/png", True)
    assert (file["n"], file["bytes"], file["inline"]) == (1, 25, False)


def test_its_html_is_a_document_in_a_sandbox(opened: Opened) -> None:
    kept = opened.arrives(rich().as_bytes())
    shown = opened.client.get(f"/mail/{kept}/html")
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "sandbox allow-popups" in shown.headers["content-security-policy"]
    assert "https:" not in shown.headers["content-security-policy"]
    assert 'src="data:image/png;base64,' in shown.text
    remote = opened.client.get(f"/mail/{kept}/html?remote=1")
    assert "img-src data: https:" in remote.headers["content-security-policy"]


def test_an_email_without_html_has_no_such_document(opened: Opened) -> None:
    kept = opened.arrives(email().as_bytes())
    assert opened.client.get(f"/mail/{kept}/html").status_code == 404


def test_the_source_is_what_came_as_text(opened: Opened) -> None:
    octets = b"From: a\r\n\r\n<script>\xff\0"
    kept = opened.arrives(octets)
    source = opened.client.get(f"/mail/{kept}/source")
    assert source.content == octets
    assert source.headers["content-type"] == "text/plain; charset=utf-8"
    assert source.headers["x-content-type-options"] == "nosniff"
    assert source.headers["content-security-policy"].endswith("sandbox")


def test_an_attachment_is_a_download_whatever_it_calls_itself(opened: Opened) -> None:
    kept = opened.arrives(rich().as_bytes())
    file = opened.client.get(f"/mail/{kept}/attachments/1")
    assert file.content == b"<script>alert(1)</script>"
    assert file.headers["content-type"] == "application/octet-stream"
    assert (
        file.headers["content-disposition"] == "attachment; filename*=UTF-8''a%22b%3BX%3A%20y.html"
    )
    assert file.headers["x-content-type-options"] == "nosniff"
    assert opened.client.get(f"/mail/{kept}/attachments/2").status_code == 404
    assert opened.client.get(f"/mail/{kept}/attachments/{10**30}").status_code == 404


def test_whoever_has_no_id_sees_no_email(opened: Opened) -> None:
    kept = opened.arrives(rich().as_bytes())
    assert len(bytes.fromhex(kept)) == 16, "128 bits"
    for path in ("html", "source", "attachments/0"):
        answer = opened.client.get(f"/mail/{'0' * 32}/{path}")
        assert (answer.status_code, answer.json()) == (
            404,
            {"error": "there is no such email in the inbox"},
        )


def test_it_is_emptied(opened: Opened) -> None:
    kept = opened.arrives(email().as_bytes())
    assert opened.client.get(f"/api/inbox/{kept}").status_code == 200
    assert opened.client.delete("/api/inbox").json() == {"count": 0, "emails": []}
    assert opened.client.get("/api/inbox").json() == {"count": 0, "emails": []}
    assert opened.client.get(f"/mail/{kept}/source").status_code == 404


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0\xff" * 1000,
        b"To: " + b"(((a)))" * 100_000 + b"\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 300,
        b"Content-Type: text/html; charset=nope\r\n\r\n\xff",
        b"Subject: =?utf-8?q?=ED=A0=80?=\r\n\r\n\xed\xa0\x80",
        b"Content-Type: text/html\r\n\r\n" + b"<div>" * 1_000_000,
        b"From: \xff\r\nTo: \0\r\nMessage-ID: <\r\nList-Unsubscribe: x\r\n\r\n",
    ],
    ids=range(8),
)
def test_no_email_is_too_broken_to_be_shown(opened: Opened, octets: bytes) -> None:
    kept = opened.arrives(octets)
    assert opened.client.get("/api/inbox?search=x").status_code == 200
    (listed,) = opened.client.get("/api/inbox").json()["emails"]
    assert opened.client.get(f"/api/inbox/{kept}").status_code == 200
    has_html = "html" in listed["marks"]
    assert opened.client.get(f"/mail/{kept}/html").status_code == (200 if has_html else 404)
    assert opened.client.get(f"/mail/{kept}/source").content == octets


def test_five_hundred_emails_of_50_kb_are_listed_without_their_bodies(opened: Opened) -> None:
    message = email()
    message.set_content("words and words\n" * 3200)
    for _ in range(MOST):
        opened.arrives(message.as_bytes())
    answer = opened.client.get("/api/inbox?limit=500")
    assert len(answer.json()["emails"]) == MOST
    assert len(answer.content) < 500 * MOST


def test_the_oldest_are_forgotten() -> None:
    inbox = Inbox()
    for _ in range(MOST + 1):
        inbox.put(Mail(b"x"))
    assert inbox.count_and_newest()[0] == MOST


def test_large_emails_are_forgotten_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ionctl.console.inbox._MOST_BYTES", 1000)
    inbox = Inbox()
    for _ in range(3):
        inbox.put(Mail(b"x" * 400))
    assert inbox.count_and_newest()[0] == 2
    inbox.put(Mail(b"x" * 4000))
    assert inbox.count_and_newest()[0] == 1, "the newest is kept, however large"
    inbox.clear()
    inbox.put(Mail(b"x" * 900))
    inbox.put(Mail(b"x" * 100))
    assert inbox.count_and_newest()[0] == 2


def test_threads_fill_it_while_others_read() -> None:
    inbox, told = Inbox(), []
    end = inbox.listen(lambda: told.append(1))

    def fill() -> None:
        for _ in range(100):
            inbox.put(Mail(b"Subject: x\r\n\r\n"))
            assert inbox.newest_first()[0].overview.subject == "x"

    threads = [threading.Thread(target=fill) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (inbox.count_and_newest()[0], len(told)) == (400, 400)
    end()
    inbox.clear()
    assert len(told) == 400
