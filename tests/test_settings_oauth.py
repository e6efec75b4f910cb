"""Settings of a login by OAuth 2.0."""

from dataclasses import replace
from pathlib import Path

import pytest

from configured import SECRETS, loaded, with_line
from ion.settings import OAuth, SettingsError

# a login by OAuth 2.0


XOAUTH2 = """
[smtp]
server = smtp.office365.com
port = 587
auth = xoauth2
username = post@example.org
oauth_token_url = https://login.example/tenant/oauth2/v2.0/token
oauth_client_id = canary-id
oauth_client_secret = canary-secret
oauth_scope = https://outlook.example/.default
"""

REFRESHING = with_line("oauth_refresh_token = canary-refresh", XOAUTH2)


def test_a_login_by_token_says_where_tokens_are_from(tmp_path: Path) -> None:
    (smtp,) = loaded(tmp_path, secrets=XOAUTH2).servers
    assert (smtp.username, smtp.password) == ("post@example.org", None)
    assert smtp.oauth == OAuth(
        "https://login.example/tenant/oauth2/v2.0/token",
        "canary-id",
        "canary-secret",
        "https://outlook.example/.default",
    )
    (smtp,) = loaded(tmp_path, secrets=REFRESHING).servers
    assert smtp.oauth
    assert smtp.oauth.refresh_token == "canary-refresh"


@pytest.mark.parametrize("without", ["oauth_client_secret", "oauth_scope"])
def test_beside_a_refresh_token_less_will_do(tmp_path: Path, without: str) -> None:
    (smtp,) = loaded(tmp_path, secrets=with_line(without, REFRESHING)).servers
    assert smtp.oauth
    assert getattr(smtp.oauth, without.removeprefix("oauth_")) is None


def test_a_login_may_be_by_password_in_so_many_words(tmp_path: Path) -> None:
    assert loaded(tmp_path, secrets=with_line("auth = password")) == loaded(tmp_path)


def test_each_server_has_its_own_way_to_log_in(tmp_path: Path) -> None:
    secrets = SECRETS + XOAUTH2.replace("[smtp]", "[smtp:backup]")
    first, backup = loaded(tmp_path, secrets=secrets).servers
    assert (first.oauth, backup.password) == (None, None)
    assert backup.oauth


@pytest.mark.parametrize(
    "url",
    [
        "https://login.example/token",
        "https://login.example:8443/a/b?c=d",
        "https://127.0.0.1:1/t",
        "HTTPS://login.example",
    ],
)
def test_tokens_are_from_https(tmp_path: Path, url: str) -> None:
    (smtp,) = loaded(tmp_path, secrets=with_line(f"oauth_token_url = {url}", XOAUTH2)).servers
    assert smtp.oauth
    assert smtp.oauth.token_url == url


OAUTH_FAULTS = [
    ("auth = canary", "auth", "must be one of password, xoauth2"),
    ("auth = XOAUTH2", "auth", "must be one of password, xoauth2"),
    ("auth", "oauth_token_url", "is there, but auth isn't xoauth2: add auth = xoauth2"),
    ("auth = password", "oauth_token_url", "is there, but auth isn't xoauth2"),
    ("username", "username", "is missing: the mailbox that the access token is for"),
    ("password = canary", "password", "is there, and auth is xoauth2: take away the password, or"),
    ("security = none", "security", "is none: ion sends no access token without TLS"),
    ("oauth_token_url", "oauth_token_url", "is missing"),
    ("oauth_client_id", "oauth_client_id", "is missing"),
    ("oauth_client_id = ???", "oauth_client_id", "still is the example's ???"),
    ("oauth_client_secret", "oauth_client_secret", "is missing: only beside an oauth_refresh_"),
    ('oauth_client_secret = "canary"', "oauth_client_secret", "is in quotes"),
    ("oauth_scope", "oauth_scope", "is missing: only beside an oauth_refresh_token"),
    *[
        (f"oauth_token_url = {url}", "oauth_token_url", why)
        for url, why in {
            "http://canary.example/token": "is http: the credentials go only to an https:// URL",
            "HTTP://canary.example/token": "is http: ",
            "canary.example/token": "must be an https:// URL with a host name",
            "ftp://canary.example/token": "must be an https:// URL",
            "https:///canary": "must be an https:// URL",
            "https://a:canary@login.example/token": "must be an https:// URL",
            "https://canary.example/a b": "must be an https:// URL",
            "https://canary.example/#a": "must be an https:// URL",
            "https://canary.example:x/": "must be an https:// URL",
            "https://canary.example:0/": "must be an https:// URL",
            "https://canary.example:99999/": "must be an https:// URL",
            "https://canary_x/": "must be an https:// URL",
            "https://canary.example\\@x/": "must be an https:// URL",
            "https://canary.example/ä": "must be an https:// URL",
        }.items()
    ],
]


@pytest.mark.row(32)
@pytest.mark.parametrize(("line", "key", "why"), OAUTH_FAULTS)
def test_a_fault_in_a_login_by_token_says_what_to_do(
    tmp_path: Path, line: str, key: str, why: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, secrets=with_line(line, XOAUTH2))
    assert str(caught.value).startswith(f"config-secrets.cfg: [smtp] {key}: {why}")
    assert "canary" not in str(caught.value)


def test_what_is_shown_for_a_token_is_not_in_what_settings_print(tmp_path: Path) -> None:
    settings = loaded(tmp_path, secrets=REFRESHING)
    assert not any(word in f"{settings!r} {settings}" for word in ("canary-sec", "canary-ref"))
    oauth = settings.servers[0].oauth
    assert oauth
    assert replace(oauth, refresh_token="other") != oauth
