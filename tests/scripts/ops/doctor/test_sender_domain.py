"""SPF, DKIM, DMARC and MX, as a DNS server of the test's own has them."""

from collections.abc import Iterator

import pytest

import dkim_keys
from dns_server import DnsServer
from ion.settings import Dkim
from ionctl.ops.doctor import sender_domain, spf
from ionctl.ops.doctor.check import NotKnownError
from ionctl.ops.doctor.names import Names
from ionctl.ops.doctor.providers import provider_of
from ionctl.ops.result import Finding, Grade
from ionctl.problem import Problem

DOMAIN = "shop.example"
GOOGLE, SES = provider_of("smtp.gmail.com"), provider_of("email-smtp.eu-west-1.amazonaws.com")


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer() as running:
        yield running


@pytest.fixture
def names(server: DnsServer) -> Names:
    return Names(server.address)


def txt(server: DnsServer, name: str, *texts: str) -> None:
    server.zone[name, "TXT"] = [f'"{text}"' for text in texts]


def graded(finding: Finding) -> tuple[str, Grade]:
    return finding.check, finding.grade


# -- SPF -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "grade", "words"),
    [
        ([], Grade.WRONG, "no SPF record"),
        (["v=spf1 a -all"], Grade.OK, "v=spf1 a -all"),
        (["some text", "V=SPF1 ip4:192.0.2.1 ~all"], Grade.OK, "192.0.2.1"),
        (["v=spf10 -all"], Grade.WRONG, "no SPF record"),
        (["v=spf1 -all", "v=spf1 a ~all"], Grade.WRONG, "2 SPF records"),
        (["v=spf1 a +all"], Grade.WRONG, "lets everybody send"),
        (["v=spf1 all"], Grade.WRONG, "lets everybody send"),
        (["v=spf1 include:gone.example ~all"], Grade.WRONG, "gone.example, which has no SPF"),
        (["v=spf1 " + "mx " * 11 + "-all"], Grade.WRONG, "11 look-ups"),
        (["v=spf1 " + "mx " * 10 + "-all"], Grade.OK, ""),
        (["v=spf1 include:%{d}._spf.example -all"], Grade.OK, ""),
    ],
)
def test_spf_record_is_judged(
    server: DnsServer, names: Names, records: list[str], grade: Grade, words: str
) -> None:
    txt(server, DOMAIN, *records)
    finding = spf.look(names, DOMAIN, [None])
    assert graded(finding) == ("spf", grade)
    assert words in finding.found
    assert bool(finding.advice) == (grade is not Grade.OK)


def test_includes_count_with_what_they_include_and_a_loop_ends(
    server: DnsServer, names: Names
) -> None:
    txt(server, DOMAIN, "v=spf1 include:a.example include:b.example -all")
    txt(server, "a.example", "v=spf1 " + "exists:x.example " * 5 + "-all")
    txt(server, "b.example", "v=spf1 mx mx mx mx redirect=b.example")
    assert spf.look(names, DOMAIN, [None]).found.startswith(f"{DOMAIN} needs 12 look-ups")


def test_providers_servers_must_be_named_where_the_envelope_keeps_our_sender(
    server: DnsServer, names: Names
) -> None:
    txt(server, DOMAIN, "v=spf1 a -all")
    finding = spf.look(names, DOMAIN, [GOOGLE])
    assert finding.grade is Grade.WARNING
    assert finding.advice == "put include:_spf.google.com before its last word"
    assert spf.look(names, DOMAIN, [SES, None, GOOGLE]) == finding
    txt(server, DOMAIN, "v=spf1 include:both.example -all")
    txt(server, "both.example", "v=spf1 include:_spf.google.com -all")
    txt(server, "_spf.google.com", "v=spf1 ip4:192.0.2.0/24 ~all")
    assert spf.look(names, DOMAIN, [GOOGLE]).grade is Grade.OK


def test_without_spf_a_provider_with_an_envelope_of_its_own_is_only_warned_of(
    server: DnsServer, names: Names
) -> None:
    finding = spf.look(names, DOMAIN, [SES])
    assert finding.grade is Grade.WARNING
    assert "include:amazonses.com" in finding.advice


def test_long_record_comes_by_tcp_in_several_strings(server: DnsServer, names: Names) -> None:
    addresses = " ".join(f"ip4:192.0.2.{number}" for number in range(60))
    record = f"v=spf1 {addresses} -all"
    parts = [record[start : start + 250] for start in range(0, len(record), 250)]
    server.zone[DOMAIN, "TXT"] = [" ".join(f'"{part}"' for part in parts)]
    assert record in spf.look(names, DOMAIN, [None]).found
    assert server.over_tcp == 1


# -- DKIM ----------------------------------------------------------------------------------


def test_domain_without_any_key_is_told_without_knowing_a_selector(names: Names) -> None:
    finding = sender_domain.dkim(names, DOMAIN, SES, ())
    assert graded(finding) == ("dkim", Grade.WARNING)
    assert "no DKIM key, so mail from there" in finding.found
    assert "Amazon SES" in finding.advice


def test_usual_selector_of_the_provider_is_found(server: DnsServer, names: Names) -> None:
    txt(server, f"google._domainkey.{DOMAIN}", "v=DKIM1; k=rsa; p=MIIB")
    assert sender_domain.dkim(names, DOMAIN, GOOGLE, ()).grade is Grade.OK


def test_key_is_found_though_the_name_server_denies_the_name_above_it(
    server: DnsServer, names: Names
) -> None:
    server.denies_above = True
    txt(server, f"google._domainkey.{DOMAIN}", "v=DKIM1; k=rsa; p=MIIB")
    assert sender_domain.dkim(names, DOMAIN, GOOGLE, ()).grade is Grade.OK


def test_keys_under_other_selectors_are_not_taken_for_none(server: DnsServer, names: Names) -> None:
    txt(server, f"k7x2._domainkey.{DOMAIN}", "v=DKIM1; p=MIIB")
    finding = sender_domain.dkim(names, DOMAIN, SES, ())
    assert finding.grade is Grade.SKIPPED
    assert "--dkim-selector" in finding.advice
    assert sender_domain.dkim(names, DOMAIN, SES, ("k7x2",)).grade is Grade.OK
    assert sender_domain.dkim(names, DOMAIN, SES, ("other",)).grade is Grade.WARNING


def test_revoked_key_is_no_key(server: DnsServer, names: Names) -> None:
    txt(server, f"s1._domainkey.{DOMAIN}", "v=DKIM1; p=")
    assert "revoked" in sender_domain.dkim(names, DOMAIN, None, ("s1",)).found


def own_key(names: Names, domain: str = DOMAIN) -> Finding:
    return sender_domain.own_key(names, domain, Dkim(DOMAIN, "ion1", dkim_keys.key()))


def test_the_key_that_ion_signs_with_is_held_against_dns(server: DnsServer, names: Names) -> None:
    name = f"ion1._domainkey.{DOMAIN}"
    server.zone["mx.example", "A"] = ["192.0.2.1"]
    missing = own_key(names)
    assert graded(missing) == ("dkim", Grade.WRONG)
    assert name in missing.advice
    record = dkim_keys.record(dkim_keys.pem()).decode()
    server.zone[name, "TXT"] = [f'"{record[:200]}" "{record[200:]}"']
    assert own_key(names).grade is Grade.OK
    assert own_key(names, f"news.{DOMAIN}").grade is Grade.OK
    other = dkim_keys.record(dkim_keys.pem(1024)).decode()
    for wrong in (other, "v=DKIM1; p=", "v=DKIM1; p=%%%"):
        txt(server, name, wrong)
        assert "another key" in own_key(names).found


def test_a_sender_of_a_domain_that_ion_does_not_sign_for_is_told(names: Names) -> None:
    finding = own_key(names, "other.example")
    assert graded(finding) == ("dkim", Grade.WARNING)
    assert "other.example" in finding.advice


# -- DMARC ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "records", "grade", "words"),
    [
        (DOMAIN, [], Grade.WARNING, "no DMARC record"),
        (DOMAIN, ["v=DMARC1; p=reject; rua=mailto:a@b.example"], Grade.OK, "p=reject"),
        (DOMAIN, ["v=DMARC1;p=none"], Grade.OK, "only report"),
        (DOMAIN, ["v=DMARC1; p=none; sp=reject"], Grade.OK, "p=none"),
        (DOMAIN, ["v=DMARC1; sp=none"], Grade.WRONG, "no p="),
        (DOMAIN, ["v=DMARC1; p=maybe"], Grade.WRONG, "no p="),
        (DOMAIN, ["v=DMARC1; p=none", "v=DMARC1; p=reject"], Grade.WRONG, "2 records"),
        (DOMAIN, ["v=DMARC10; p=none"], Grade.WARNING, "no DMARC record"),
        ("example", ["v=DMARC1; p=none"], Grade.WARNING, "no DMARC record"),
    ],
)
def test_dmarc_record_is_judged(
    server: DnsServer, names: Names, at: str, records: list[str], grade: Grade, words: str
) -> None:
    txt(server, f"_dmarc.{at}", *records)
    finding = sender_domain.dmarc(names, DOMAIN)
    assert graded(finding) == ("dmarc", grade)
    assert words in finding.found


def test_dmarc_of_a_domain_above_speaks_for_its_subdomains(server: DnsServer, names: Names) -> None:
    txt(server, f"_dmarc.{DOMAIN}", "v=DMARC1; p=none; sp=reject")
    finding = sender_domain.dmarc(names, f"mail.eu.{DOMAIN}")
    assert finding.found == f"mail.eu.{DOMAIN}: p=reject, by _dmarc.{DOMAIN}"


# -- bounces -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "records", "grade"),
    [
        ("MX", ["10 mx.shop.example."], Grade.OK),
        ("MX", ["0 ."], Grade.WRONG),
        ("A", ["192.0.2.1"], Grade.WARNING),
        ("TXT", ['"text"'], Grade.WRONG),
    ],
)
def test_where_bounces_go(
    server: DnsServer, names: Names, kind: str, records: list[str], grade: Grade
) -> None:
    server.zone[DOMAIN, kind] = records
    (finding,) = sender_domain.bounces(names, DOMAIN)
    assert graded(finding) == ("mx", grade)


# -- the name server -----------------------------------------------------------------------


def test_name_server_that_fails_is_not_taken_for_a_record_that_is_missing(
    server: DnsServer, names: Names
) -> None:
    server.failing = True
    with pytest.raises(NotKnownError, match="SERVFAIL"):
        spf.look(names, DOMAIN, [None])
    with pytest.raises(NotKnownError, match="SERVFAIL"):
        sender_domain.dkim(names, DOMAIN, None, ())


def test_name_server_that_is_silent_is_not_waited_for_long(server: DnsServer, names: Names) -> None:
    server.silent = True
    with pytest.raises(NotKnownError, match="timed out"):
        sender_domain.dmarc(names, DOMAIN)


@pytest.mark.parametrize("text", ["dns.example", "127.0.0.1:x", "", "1.2.3.4:5:6"])
def test_name_server_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="--nameserver"):
        Names(text)


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("email-smtp.eu-west-1.amazonaws.com", "Amazon SES"),
        ("SMTP.SendGrid.net.", "SendGrid"),
        ("smtp.office365.com", "Office 365"),
        ("smtp-relay.gmail.com", "Google"),
        ("smtp.eu.mailgun.org", "Mailgun"),
        ("smtp.postmarkapp.com", "Postmark"),
        ("notmailgun.org", None),
        ("mail.example.org", None),
    ],
)
def test_provider_is_known_by_its_server(server: str, name: str | None) -> None:
    provider = provider_of(server)
    assert (provider.name if provider else None) == name
