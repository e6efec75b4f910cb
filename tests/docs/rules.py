"""What is different when a test runs the commands of a page, and why. The fewer the better."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

HOME_ACCOUNT = "0" * 12
"""The relay that is there already is in it."""
TERRAFORM_ACCOUNT = "2" * 12
"""What a page deploys gets an account of its own."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A replacement within a line, as by `re.sub`."""

    pattern: str
    replacement: str
    why: str


RULES = (
    Rule(r"^cd ion\b", "cd ../ion", "a block begins in the clone"),
    Rule(
        r"^# in your project, with a clone of ion beside it",
        "mkdir -p ../shop && cd ../shop  #",
        "a block begins in the clone",
    ),
    Rule(
        r"REGION:ACCOUNT|eu-west-1:123456789012",
        f"us-east-1:{HOME_ACCOUNT}",
        "of the emulated AWS",
    ),
    Rule(
        r"^cp config-secrets-example.cfg config-secrets.cfg",
        'cp "$SECRETS" config-secrets.cfg',
        "filled in, with the local mail server",
    ),
    Rule(
        r"(?=\./ionctl doctor --name mail)",
        f"AWS_ACCESS_KEY_ID={TERRAFORM_ACCOUNT} ",
        "the one that the page has deployed",
    ),
    Rule(
        r"(\bionctl( --local)? doctor)\b",
        r"\1 --nameserver 127.0.0.1:9",
        "no question leaves this machine",
    ),
    Rule(r"\bMESSAGE-ID\b", '"$DEAD_LETTER"', "there is one"),
    Rule(
        r"(\bionctl (dead (discard|edit)|erase))\b", r"\1 --yes", "there is no person to be asked"
    ),
    Rule(
        r"\bterraform test$",
        "terraform test -filter=tests/naming.tftest.hcl",
        "all of them are run by tests/system/test_terraform_module.py",
    ),
)

LEFT_OUT: Mapping[str, str] = {
    "rm config-secrets.cfg": "the page needs it again, which its reader writes anew",
    "aws ses set-identity-headers-in-notifications-enabled --identity example.org "
    "--notification-type $kind --enabled": "the emulated AWS has none",
    "aws sqs start-message-move-task --source-arn "
    "arn:aws:sqs:eu-west-1:123456789012:ion-feedback-deadletter-queue": "the emulated AWS has none",
    "./run.sh": "runs until Ctrl-C: tests/scripts/local/test_run.py",
    "./test.sh --collect-only -q -m row": "runs the tests, this one among them",
    "./test.sh -m row": "runs the tests, this one among them",
}
"""Commands that can't be run here, or are run by another test: as they are, without a comment."""

ANSWERS: Mapping[str, str] = {
    r"\./ionctl( --local)? status": "there is a dead letter",
    r"(\w+=\w+ )?\./ionctl( --local)? doctor": "no DNS here, and no alarm has a listener",
    r"\./ionctl cancel": "order-17 has been sent",
}
"""Commands that may exit with 1, which is an answer: how they begin, and what is wrong then."""

_COMMENT = re.compile(r"\s+#.*$")


def without_comment(line: str) -> str:
    """A command as `LEFT_OUT` has it."""
    return _COMMENT.sub("", line.strip())


def runnable(line: str) -> str:
    """A line of a page as it is run."""
    if without_comment(line) in LEFT_OUT:
        return ":"
    for rule in RULES:
        line = re.sub(rule.pattern, rule.replacement, line)
    return line
