"""`ionctl doctor` run as a person runs it, and a relay that is made ill and well again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from dns_server import DnsServer
from ionctl.local.announcement import addresses
from ionctl.local.stack import Stack, config_secrets
from ionctl.ops import local_stack
from ionctl.ops.result import Diagnosis, Finding, Grade
from ionctl_program import Ended, within

DOMAIN = "shop.example"
HEALTHY = {
    (DOMAIN, "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"'],
    (DOMAIN, "MX"): ["10 mx.shop.example."],
    (f"mail._domainkey.{DOMAIN}", "TXT"): ['"v=DKIM1; k=rsa; p=MIIB"'],
    (f"_dmarc.{DOMAIN}", "TXT"): ['"v=DMARC1; p=reject"'],
}
"""DNS of a sender's domain."""


def doctor(*arguments: str, folder: Path, **environment: str) -> Ended:
    """Run it, in a folder that holds the local stack's file."""
    usual = {
        local_stack.FILE_VARIABLE: str(folder / "local.json"),
        "AWS_PROFILE": "nobody-has-this-one",  # nor does it matter
    }
    return within(*arguments, folder=folder, **(usual | environment))


class Diagnosed:
    """What it printed as JSON.

    Attributes:
        text: All of it.
        status: The exit status.
    """

    def __init__(self, run: Ended) -> None:
        assert run.out, run.err
        self.text = run.out
        self.status = run.status
        self.diagnosis = msgspec.json.decode(run.out, type=Diagnosis, strict=True)

    @property
    def wrong(self) -> list[Finding]:
        return [one for one in self.diagnosis.findings if one.grade is Grade.WRONG]

    def of(self, check: str) -> list[Finding]:
        return [one for one in self.diagnosis.findings if one.check == check]

    def the_only_wrong(self, check: str) -> Finding:
        """What is wrong, if that is one thing, and there is advice; the exit status says so."""
        (one,) = self.wrong
        assert one.check == check
        assert one.advice
        assert self.status == 1
        assert not self.diagnosis.ok
        return one


class Patient:
    """A relay that is well, with a domain that is well."""

    def __init__(self, stack: Stack, dns: DnsServer, folder: Path) -> None:
        self.stack = stack
        self.dns = dns
        self.folder = folder
        self.secret = config_secrets(stack.mail_server.login)

    def diagnosed(self, *options: str) -> Diagnosed:
        asked = ("--local", "--json", "doctor", "--nameserver", self.dns.address, *options)
        return Diagnosed(doctor(*asked, folder=self.folder))


def write_file(stack: Stack, folder: Path) -> None:
    """As ./run.sh does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(local_stack.FILE_VARIABLE, str(folder / "local.json"))
        local_stack.write(addresses(stack))


@contextmanager
def environment(stack: Stack, changes: Mapping[str, str]) -> Iterator[None]:
    """The function has other environment variables."""
    functions, name = stack.aws.functions, stack.names.function
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**before, **changes}}
    )
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": before}
        )


@contextmanager
def secret(stack: Stack, text: str, well: str) -> Iterator[None]:
    """The secret is another one."""
    stack.put_secret(text)
    try:
        yield
    finally:
        stack.put_secret(well)
