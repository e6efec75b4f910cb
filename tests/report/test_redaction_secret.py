"""No part of the secret, nor an access token, in anything that ion writes."""

import asyncio
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from at_length import few
from canaries import COMMON_SPELLINGS, SPELLINGS, WORDS
from ion.deadline import Deadline
from ion.smtp.tokens import Tokens
from report.world import USERNAME, World, email
from smtp_server import Offer, ScriptedServer, Step, Tls, reply
from token_endpoint import Answer as Said
from token_endpoint import TokenEndpoint, answer, issue, refuse, trusting

# the secret


SERVER = "[smtp]\nserver = mail.example\nport = 587\n"

SECRETS = [
    f"{SERVER}auth = {WORDS['secret']}\n",
    f"{SERVER}oauth_client_secret = {WORDS['secret']}\n",
    f"{SERVER}auth = xoauth2\nusername = a\noauth_token_url = http://{WORDS['secret']}\n",
    f"{SERVER}auth = xoauth2\nusername = a\noauth_token_url = {WORDS['secret']}\n",
    f"{WORDS['secret']} and no section",
    f"[smtp]\n{WORDS['secret']}",
    f"[smtp]\nserver = {WORDS['secret']} x\nport = 587\n",
    f"[smtp]\nserver = mail.example\nport = {WORDS['secret']}\n",
    f"{SERVER}security = {WORDS['secret']}\n",
    f"{SERVER}password = {WORDS['secret']}\n",
    f"{SERVER}ca_file = {WORDS['secret']}\n",
    f"{SERVER}password = {WORDS['secret']}\npassword = b\n",
]


# What looks like a key may be a password's second line, or one that was pasted without its key.


TAKEN_FOR_KEYS = [
    f"{SERVER}{WORDS['secret']} = b\n",
    f"{SERVER}{WORDS['secret']}:b\n",
    f"{SERVER}[{WORDS['secret']}]\na = b\n",
]


@pytest.mark.parametrize("text", [*SECRETS, *TAKEN_FOR_KEYS])
@pytest.mark.parametrize("place", ["file", "ssm"])
def test_a_secret_that_is_wrong_is_not_repeated(world: World, text: str, place: str) -> None:
    if place == "file":
        (world.root / "config-secrets.cfg").write_text(text, encoding="utf-8")
    else:
        ssm = world.account.session.client("ssm")
        ssm.put_parameter(Name="/ion", Value=text, Type="SecureString")
        arn = ssm.get_parameter(Name="/ion")["Parameter"]["ARN"]
        world.monkeypatch.setenv("ION_AWS_SECRET_ARN", arn)
    world.publish(email())
    world.summaries.append(asyncio.run(world.relay().run(Deadline.after(900))))
    assert world.summaries[-1].stopped == "settings"
    assert world.leaks() == {}


# an access token in the place of a password


OAUTH = (
    f"auth = xoauth2\noauth_client_id = {WORDS['appid']}\n"
    f"oauth_client_secret = {WORDS['appsecret']}\noauth_scope = {WORDS['scope']}\n"
)

REFRESH = f"oauth_refresh_token = {WORDS['refreshtoken']}\n"

SHOWN = [WORDS[place] for place in ("appid", "appsecret", "refreshtoken", "scope")]

TOKEN = WORDS["accesstoken"]


def by_token(world: World, said: Sequence[Said], script: Mapping[Step, Any], more: str) -> None:
    """Two runs in one environment, of which the second finds what the first has kept."""

    async def main() -> None:
        offer = Offer(users={USERNAME: TOKEN}, mechanisms=("XOAUTH2",))
        async with (
            ScriptedServer(script, tls=Tls.STARTTLS, offer=offer) as server,
            TokenEndpoint(*said) as endpoint,
        ):
            shutil.copy(server.ca_pem_path, world.root / "ca.pem")
            secrets = (
                f"[smtp]\nserver = {server.host}\nport = {server.port}\nca_file = ca.pem\n"
                f"username = {USERNAME}\noauth_token_url = {endpoint.url}\n{OAUTH}{more}"
            )
            (world.root / "config-secrets.cfg").write_text(secrets, encoding="utf-8")
            relay = world.relay()
            relay.tokens = Tokens(trusting)
            for _ in range(2):
                world.publish(email(len(world.summaries)))
                world.summaries.append(await relay.run(Deadline.after(900)))

    asyncio.run(main())


REPEATED = " ".join(SHOWN)

ENDPOINT_SAYS: Sequence[tuple[Said, str]] = [
    (issue(TOKEN, refresh_token=WORDS["refreshtoken"], scope=WORDS["scope"]), "empty"),
    (refuse("invalid_client", 401, error_description=REPEATED, trace_id=REPEATED), "auth"),
    (refuse(REPEATED, error_codes=[REPEATED]), "auth"),
    (refuse("invalid_grant", error_uri=f"https://login.example/?{REPEATED}"), "auth"),
    (answer(500, REPEATED.encode()), "auth_later"),
    (answer(200, {"token": TOKEN, "said": REPEATED}), "auth_later"),
    (answer(200, {"access_token": f"{TOKEN} {TOKEN}"}), "auth_later"),
    (answer(302, b"", f"Location: https://login.example/{REPEATED}"), "auth_later"),
    (f"HTTP/1.1 {REPEATED}\r\n\r\n".encode(), "auth_later"),
    (f"{TOKEN} {REPEATED}".encode(), "auth_later"),
]


@pytest.mark.parametrize("more", ["", REFRESH], ids=["application", "user"])
@pytest.mark.parametrize(("said", "stopped"), ENDPOINT_SAYS, ids=range(len(ENDPOINT_SAYS)))
def test_what_a_token_endpoint_says_and_was_shown_is_not_written(
    world: World, said: Said, stopped: str, more: str
) -> None:
    by_token(world, [said], {}, more)
    assert {summary.stopped for summary in world.summaries} == {stopped}
    assert world.leaks() == {}
    assert "run ended" in world.events()


@pytest.mark.parametrize("spelling", few(SPELLINGS, COMMON_SPELLINGS))
@pytest.mark.parametrize("step", [Step.AUTH, Step.MAIL])
def test_a_token_that_the_server_repeats_is_not_written(
    world: World, step: Step, spelling: str
) -> None:
    told = (TOKEN, f"user={USERNAME}\1auth=Bearer {TOKEN}\1\1", USERNAME)
    words = " ".join(re.sub(r"[\0\1\r\n]", " ", SPELLINGS[spelling](one)) for one in told)
    script = {step: reply(535, f"5.7.8 refused: {words}")}
    by_token(world, [issue(TOKEN)], script, "")
    assert {summary.stopped for summary in world.summaries} == {"auth"}
    assert " hold smtp" in [one["email_id"] for one in world.account.rows()]
    assert world.leaks() == {}
