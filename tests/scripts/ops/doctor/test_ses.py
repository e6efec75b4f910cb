"""What SES says of the account and the sender's domain, as it answers (API reference, SES v2)."""

from typing import Any

import boto3
import pytest

from ion.settings import Security, Smtp
from ionctl.local.ministack import CREDENTIALS
from ionctl.ops.account import Account
from ionctl.ops.doctor import ses
from ionctl.ops.result import Grade

SERVER = Smtp("email-smtp.eu-west-1.amazonaws.com", 587, Security.STARTTLS)
WELL: dict[str, Any] = {
    "ProductionAccessEnabled": True,
    "SendingEnabled": True,
    "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 12.0},
}
SIGNED = {"SigningEnabled": True, "Status": "SUCCESS"}


def with_quota(**changes: float) -> dict[str, Any]:
    return {**WELL, "SendQuota": {**WELL["SendQuota"], **changes}}


@pytest.mark.parametrize(
    ("answer", "max_rate", "grade", "words"),
    [
        (WELL, None, Grade.OK, "14 emails a second, 50000 a day; 12 since"),
        (WELL, 14.0, Grade.OK, ""),
        (WELL, 20.0, Grade.WARNING, "max_rate is 20"),
        ({**WELL, "SendingEnabled": False}, None, Grade.WRONG, "doesn't let this account send"),
        ({**WELL, "ProductionAccessEnabled": False}, None, Grade.WARNING, "sandbox"),
        (with_quota(SentLast24Hours=45001.0), None, Grade.WARNING, "45001 since"),
        (with_quota(Max24HourSend=-1.0, SentLast24Hours=1e9), None, Grade.OK, ""),
    ],
)
def test_quota(answer: dict[str, Any], max_rate: float | None, grade: Grade, words: str) -> None:
    server = Smtp(SERVER.server, 587, Security.STARTTLS, max_rate=max_rate)
    (finding,) = ses.quota(answer, server)
    assert finding.grade is grade
    assert words in finding.found


@pytest.mark.parametrize(
    ("answer", "grade"),
    [
        ({"VerifiedForSendingStatus": True, "DkimAttributes": SIGNED}, Grade.OK),
        ({"VerifiedForSendingStatus": False, "DkimAttributes": SIGNED}, Grade.WRONG),
        (
            {
                "VerifiedForSendingStatus": True,
                "DkimAttributes": {"SigningEnabled": True, "Status": "PENDING"},
            },
            Grade.WARNING,
        ),
        ({"VerifiedForSendingStatus": True}, Grade.WARNING),
    ],
)
def test_identity(answer: dict[str, Any], grade: Grade) -> None:
    (finding,) = ses.verified(answer, "shop.example")
    assert finding.grade is grade


@pytest.mark.parametrize(
    ("server", "region"),
    [
        ("email-smtp.eu-west-1.amazonaws.com", "eu-west-1"),
        ("EMAIL-SMTP-FIPS.us-gov-west-1.amazonaws.com.", "us-gov-west-1"),
        ("email-smtp.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("ec2-1-2-3-4.eu-west-1.compute.amazonaws.com", ""),
        ("mail.example.org", ""),
    ],
)
def test_region_is_the_servers(server: str, region: str) -> None:
    assert ses.region_of(Smtp(server, 587, Security.STARTTLS)) == region


def test_domain_that_ses_does_not_know_is_no_fault(dynamodb_endpoint: str) -> None:
    session = boto3.Session(
        CREDENTIALS["AWS_ACCESS_KEY_ID"],
        CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name="eu-west-1",
    )
    quota, identity = ses.look(Account(session, dynamodb_endpoint), SERVER, "shop.example")
    assert quota.grade is Grade.OK
    assert (identity.check, identity.grade) == ("identity", Grade.WARNING)
