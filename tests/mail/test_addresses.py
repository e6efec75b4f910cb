import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion.contract import BadInput, Mailbox
from ion.mail.addresses import Correspondent, parse_address
from ion.outcome import Reason
from mail.reading import assert_clean_on_the_wire, composed, people, read, refused

INVALID = Reason.INVALID_ADDRESS


@pytest.mark.parametrize(
    ("given_address", "name", "address"),
    [
        ("ann@example.org", "", "ann@example.org"),
        ("<ann@example.org>", "", "ann@example.org"),
        ("Ann Lee <ann@example.org>", "Ann Lee", "ann@example.org"),
        ("Ann<ann@example.org>", "Ann", "ann@example.org"),
        ("Dr. Ann O'Neil (Sales) <ann@example.org>", "Dr. Ann O'Neil (Sales)", "ann@example.org"),
        ('"Lee, Ann" <ann@example.org>', "Lee, Ann", "ann@example.org"),
        (r'"Ann \"A\" \\ Lee"<ann@example.org>', r'Ann "A" \ Lee', "ann@example.org"),
        ("Jörg Groß <j@example.org>", "Jörg Groß", "j@example.org"),
        ("a+b.c_d=e@example.org", "", "a+b.c_d=e@example.org"),
        ("{{7*7}}@example.org", "", "{{7*7}}@example.org"),
        ('"a b"@example.org', "", '"a b"@example.org'),
        ('"a@b>"@example.org', "", '"a@b>"@example.org'),
        ('Ann <"a<b"@example.org>', "Ann", '"a<b"@example.org'),
        ("root@localhost", "", "root@localhost"),
        ("ann@[127.0.0.1]", "", "ann@[127.0.0.1]"),
        ("ann@[IPv6:2001:db8::1]", "", "ann@[IPv6:2001:db8::1]"),
        (Mailbox("ann@example.org"), "", "ann@example.org"),
        (Mailbox("ann@example.org", ""), "", "ann@example.org"),
        (Mailbox("ann@example.org", "Lee, <Ann>"), "Lee, <Ann>", "ann@example.org"),
        ("l" * 64 + "@example.org", "", "l" * 64 + "@example.org"),
    ],
)
def test_a_legal_address_is_taken_as_it_is(
    given_address: str | Mailbox, name: str, address: str
) -> None:
    parsed = parse_address(given_address, "$")
    assert (parsed.name, parsed.address) == (name, address)


@pytest.mark.row(7)
@pytest.mark.parametrize(
    ("domain", "wire"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("faß.example", "xn--fa-hia.example"),
        ("i❤.example", "xn--i-7iq.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_a_domain_beyond_ascii_becomes_a_labels(domain: str, wire: str) -> None:
    email = composed(recipient=f"Ann <ann@{domain}>", sender=f"bob@{domain}")
    assert email.envelope.recipients == (f"ann@{wire}",)
    assert email.envelope.sender == f"bob@{wire}"
    assert not email.envelope.smtputf8
    assert_clean_on_the_wire(email)
    message = read(email)
    assert people(email, "To") == [("Ann", f"ann@{wire}")]
    assert message["Message-ID"].endswith(f"@{wire}>")


@pytest.mark.row(8)
def test_a_local_part_beyond_ascii_asks_for_smtputf8() -> None:
    email = composed(recipient=["Пётр <пётр@例え.テスト>", "ann@example.org"], subject="é")
    assert email.envelope.smtputf8
    assert email.envelope.recipients[0] == "пётр@xn--r8jz45g.xn--zckzah"
    assert_clean_on_the_wire(email)
    assert people(email, "To")[0] == ("Пётр", "пётр@xn--r8jz45g.xn--zckzah")


@pytest.mark.row(8)
def test_a_bcc_beyond_ascii_asks_for_itself_alone() -> None:
    """It is in no header: the others are served by a server without SMTPUTF8, too."""
    envelope = composed(bcc="pelé@example.org").envelope
    assert not envelope.smtputf8
    assert "pelé@example.org" in envelope.recipients


@pytest.mark.row(8)
@pytest.mark.parametrize("field", ["cc", "sender", "reply_to"])
def test_any_field_can_ask_for_smtputf8(field: str) -> None:
    assert composed(**{field: "pelé@example.org"}).envelope.smtputf8


@pytest.mark.row(5)
@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "<>",
        "ann",
        "@",
        "@example.org",
        "ann@",
        "Ann <>",
        "Ann <ann>",
        "Ann",
        " ann@example.org",
        "ann@example.org ",
        "ann @example.org",
        "ann@ example.org",
        "an n@example.org",
        "Ann <ann@example.org> ",
        "Ann < ann@example.org>",
        "ann@example.org\r\n",
        "ann@example.org\r\nRCPT TO:eve@example.org",
        "ann@example.org>\r\nRCPT TO:<eve@example.org>",
        "ann\n@example.org",
        "ann\x00@example.org",
        "ann@exam\tple.org",
        "ann@example.org\x7f",
        "ann\x85@example.org",
        "ann\u2028@example.org",
        "ann\u00a0@example.org",
        '"a\nb"@example.org',
        "ann@example.org> SIZE=1",
        "ann@example.org SIZE=1",
        "<ann@example.org> BODY=8BITMIME",
        "ann@example.org> ORCPT=rfc822;<x@y>",
        "ann@example.org,eve@example.org",
        "ann@example.org, Eve <eve@example.org>",
        "ann@example.org;eve@example.org",
        "<ann@example.org>,<eve@example.org>",
        "Ann <ann@example.org> <eve@example.org>",
        "Lee, Ann <ann@example.org>",
        "team: Ann <ann@example.org>",
        "team:;",
        "<@relay.example:ann@example.org>",
        "@relay.example:ann@example.org",
        "ann@example.org@example.com",
        "ann@example.org(comment)",
        '"ann@example.org',
        '"ann"lee@example.org',
        '"Ann <ann@example.org>',
        '"Ann" Lee <ann@example.org>',
        r'"ann\"@example.org',
        ".ann@example.org",
        "ann.@example.org",
        "an..n@example.org",
        "ann@.example.org",
        "ann@example.org.",
        "ann@example..org",
        "ann@-example.org",
        "ann@example-.org",
        "ann@exa_mple.org",
        "ann@exam*ple.org",
        "ann@[127.0.0.1",
        "ann@[127.0.0.256]",
        "ann@[127.0.0]",
        "ann@[]",
        "ann@[IPv6:2001::db8::1]",
        "ann@[IPv6:fe80::1%\r\nx]",
        "ann@[IPv6:127.0.0.1]",
        "ann@[::1]",
        "ann@[x:y]",
        "ann@bü..example",
        "ann@bü_.example",
        "ann@ex\u200bample\uff20.org",
        "ann@\u0301x.example\ud7ff",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert refused(recipient=address) == (INVALID, "$.recipient")
    assert refused(recipient=["ok@example.org", address]) == (INVALID, "$.recipient[1]")
    assert refused(recipient=Mailbox(address)) == (INVALID, "$.recipient.email")


@pytest.mark.parametrize("address", ["Ann <ann@example.org>", "<ann@example.org>"])
def test_a_mailbox_has_its_name_apart(address: str) -> None:
    assert refused(cc=[Mailbox(address)]) == (INVALID, "$.cc[0].email")


@pytest.mark.row(9)
@pytest.mark.parametrize(
    "address",
    [
        "l" * 65 + "@example.org",
        "é" * 33 + "@example.org",
        "a@" + "d" * 64 + ".example",
        "a@" + ".".join(["d" * 60] * 5),
        "a" * 60 + "@" + ".".join(["d" * 63] * 3) + ".ab",
        "a@" + "ü" * 60 + ".example",
        "a" * 1_000_000 + "@example.org",
        "a@" + "d." * 500_000 + "org",
        "a" * 1_000_000,
        '"' * 1_000_000,
        " " * 1_000_000 + ">",
        "<" * 1_000_000 + ">",
    ],
)
def test_an_address_longer_than_smtp_allows_is_refused(address: str) -> None:
    assert refused(recipient=address) == (INVALID, "$.recipient")


@pytest.mark.row(9)
def test_a_path_of_256_octets_is_the_longest() -> None:
    domain = ".".join(["d" * 63] * 3)  # 191
    assert parse_address("a" * 62 + "@" + domain, "$") == Correspondent("a" * 62, domain)
    with pytest.raises(BadInput):
        parse_address("a" * 63 + "@" + domain, "$")


@pytest.mark.row(3)
@pytest.mark.parametrize("control", ["\r\n", "\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\u2028"])
def test_a_name_with_controls_is_refused(control: str) -> None:
    injection = Reason.HEADER_INJECTION
    name = f"Ann{control}Bcc: eve@example.org"
    assert refused(recipient=Mailbox("a@b.example", name)) == (injection, "$.recipient.name")
    assert refused(recipient=[Mailbox("a@b.example", name)]) == (injection, "$.recipient[0].name")
    assert refused(recipient=f"a@b.example{control}RCPT TO:<c@d.example>") == (
        injection,
        "$.recipient",
    )
    assert refused(reply_to=f"Ann{control} <a@b.example>") == (injection, "$.reply_to")
    assert refused(sender=f'"Ann{control}" <a@b.example>') == (injection, "$.sender")


@pytest.mark.row(6)
def test_a_lone_surrogate_is_refused() -> None:
    invalid = Reason.INVALID_UNICODE
    assert refused(recipient="\ud800@example.org") == (invalid, "$.recipient")
    assert refused(recipient="a@\ud800.org") == (invalid, "$.recipient")
    assert refused(recipient="A\ud800 <a@example.org>") == (invalid, "$.recipient")
    assert refused(bcc=[Mailbox("a@example.org", "\udfff")]) == (invalid, "$.bcc[0].name")


@settings(deadline=None)
@given(st.text())
def test_any_text_is_an_address_or_bad_input(text: str) -> None:
    for address in (text, f"{text}@example.org", f"a@{text}", f"{text} <a@example.org>"):
        for field in (address, Mailbox(address, text)):
            try:
                parsed = parse_address(field, "$")
            except BadInput:
                continue
            assert not set(parsed.domain) - set(map(chr, range(33, 127)))
            assert parse_address(parsed.address, "$") == Correspondent(
                parsed.local_part, parsed.domain
            )
