"""ionctl load asks before it sends real emails."""

import pytest

from relays import Operated
from terminal import Ionctl


def test_real_emails_are_asked_about_first(
    relay: Operated, ionctl: Ionctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This relay is found as one in AWS is: by the shell's credentials, without --local."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", relay.names.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", relay.names.access_key)
    ran = ionctl("--region", "us-east-1", "load", "--to", "ann@example.org", "--count", "2")
    assert (ran.status, ran.out) == (1, "")
    assert "Send 2 real emails to ann@example.org? There is no terminal to ask at" in ran.err
    answer = relay.clients.sqs.receive_message(QueueUrl=relay.names.queue_url)
    assert "Messages" not in answer


@pytest.mark.parametrize("option", ["--to", "--from"])
def test_what_is_no_address_is_told_by_its_option(ionctl: Ionctl, option: str) -> None:
    ran = ionctl("--local", "load", "--to", "ann@example.org", option, "ann@")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"ionctl: {option} ann@: is no email address, write name@example.org\n"
