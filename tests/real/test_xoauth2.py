"""A server that isn't ours reads our XOAUTH2, and takes our answer to its refusal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulated import Account
from function import Function, email, invoke
from ion.settings import Security
from ion.smtp.tokens import Tokens
from real.servers.smtp_server_by_token import SmtpServerByToken
from real.unavailable import skipped_unless_available
from token_endpoint import TokenEndpoint, issue, trusting

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

LONG = "t" * 4000


@pytest.fixture(params=[Security.STARTTLS, Security.TLS])
def server(folder: Path, request: pytest.FixtureRequest) -> Iterator[SmtpServerByToken]:
    with skipped_unless_available():
        one = SmtpServerByToken(folder, security=request.param)
        one.take([LONG])
        one.start()
    try:
        yield one
    finally:
        one.kill()


def publish(account: Account, number: int) -> None:
    account.publish(email(number, recipient=f"e{number}.r0@mta.example"))


@pytest.mark.row(88)
async def test_a_long_token_lets_us_in_and_one_that_was_revoked_is_replaced(
    account: Account, function: Function, server: SmtpServerByToken
) -> None:
    async with TokenEndpoint(issue(LONG), issue("token-2")) as endpoint:
        secrets = server.secrets(function.root) + (
            f"oauth_token_url = {endpoint.url}\noauth_client_id = id\n"
            "oauth_client_secret = secret\noauth_scope = scope\n"
        )
        (function.root / "config-secrets.cfg").write_text(secrets)
        function.monkeypatch.setenv("ION_SMTP_CONNECTIONS", "1")
        relay = function.relay()
        relay.tokens = Tokens(trusting)
        publish(account, 1)
        assert (await invoke(relay)).sent == 1
        assert server.logins == [True]
        server.take(["token-2"])
        publish(account, 2)
        assert (await invoke(relay)).sent == 1
        assert server.logins == [True, False, True]
        server.take([])
        publish(account, 3)
        summary = await invoke(relay)
        assert (summary.received, summary.stopped) == (0, "auth")
        assert server.logins == [True, False, True, False, False]
    assert sorted(one.recipient for one in server.stored()) == [
        "e1.r0@mta.example",
        "e2.r0@mta.example",
    ]
