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
        # blanks around what means something
        (" ann@example.org\t", "", "ann@example.org"),
        ("\t Ann  Lee <ann@example.org>  ", "Ann  Lee", "ann@example.org"),
        ("Ann < ann@example.org\t>", "Ann", "ann@example.org"),
        ('" Lee, Ann "\t <ann@example.org>', "Lee, Ann", "ann@example.org"),
        (Mailbox("\tann@example.org ", " Ann\t"), "Ann", "ann@example.org"),
        (Mailbox("ann@example.org", " "), "", "ann@example.org"),
        ('" "@example.org', "", '" "@example.org'),
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


@pytest.mark.row(7)
@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\ufeff", "\u2060", "\ufe0f", "\u034f"])
def test_of_a_domain_what_is_left_without_invisible_characters_is_the_name(unseen: str) -> None:
    """UTS 46 maps them to nothing: what a reader sees is where it goes."""
    assert parse_address(f"ann@ex{unseen}ample.org", "$").domain == "example.org"
    assert parse_address(f"ann@bü{unseen}cher.example", "$").domain == "xn--bcher-kva.example"


@pytest.mark.row(95)
@pytest.mark.parametrize(
    "unseen", ["\u200c", "\u200d", "\u2800", "\u202e", "\u061c", "\ue000", "\u0378", "\U000e0061"]
)
def test_what_would_be_another_domain_that_looks_the_same_is_refused(unseen: str) -> None:
    for domain in (f"ex{unseen}ample.org", f"bü{unseen}cher.example", f"i❤{unseen}.example"):
        assert refused(recipient=f"ann@{domain}") == (INVALID, "$.recipient")


@pytest.mark.row(7)
def test_a_joiner_that_a_script_needs_is_kept_in_a_domain() -> None:
    """IDNA 2008 allows it behind a virama (RFC 5892, appendix A)."""
    a_label = parse_address("ann@\u0937\u094d\u200d.example", "$").domain.partition(".")[0]
    assert a_label.removeprefix("xn--").encode().decode("punycode") == "\u0937\u094d\u200d"


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
@pytest.mark.parametrize("field", ["recipient", "cc", "sender", "reply_to", "return_path"])
def test_who_is_in_the_header_or_gets_the_bounces_asks_for_smtputf8(field: str) -> None:
    """For all: they have one header, and a transaction has one sender."""
    envelope = composed(**{field: "pelé@example.org"}).envelope
    assert envelope.smtputf8
    assert not composed(**{field: "Pelé <pele@exämple.org>"}).envelope.smtputf8


@pytest.mark.row(95)
@pytest.mark.parametrize(
    "unseen",
    [
        *("\u00ad", "\u200b", "\u200d", "\u202e", "\u2060", "\ufeff", "\U000e0061"),  # Cf
        *("\ue000", "\U000f0000", "\U0010fffd"),  # Co
        *("\u0378", "\ufffe", "\uffff", "\ufdd0", "\U0001ffff", "\U000e0fff"),  # Cn
        *("\u034f", "\u115f", "\u1160", "\u3164", "\uffa0", "\u180b", "\ufe0f", "\U000e0100"),
        "\u2800",
    ],
    ids=ascii,
)
def test_a_local_part_with_what_can_not_be_seen_is_refused_with_its_index(unseen: str) -> None:
    others = ["b@example.org", "c@example.org", "d@example.org"]
    for local_part in (f"an{unseen}n", unseen, f"{unseen}ann", f'"a {unseen}"', f"ж{unseen}"):
        address = f"{local_part}@example.org"
        assert refused(recipient=[*others, address]) == (INVALID, "$.recipient[3]")
        assert refused(cc=[Mailbox(address, "Ann")]) == (INVALID, "$.cc[0].email")
        assert refused(sender=f"Ann <{address}>") == (INVALID, "$.sender")


@pytest.mark.row(8)
@pytest.mark.parametrize("local_part", ["пётр", "e\u0301", "用户", "❤", "नाम", "Ω", "ﬁ"])
def test_what_can_be_seen_in_a_local_part_is_kept(local_part: str) -> None:
    assert parse_address(f"{local_part}@example.org", "$").local_part == local_part


def test_a_name_may_hold_what_can_not_be_seen() -> None:
    assert parse_address("👩\u200d👩 <ann@example.org>", "$").name == "👩\u200d👩"


@pytest.mark.parametrize(
    ("spelt", "canonical"),
    [
        ('"ann"', "ann"),
        ('"ann.lee"', "ann.lee"),
        (r'"a\n\n"', "ann"),
        ('"пётр"', "пётр"),
        (r'"a\ b"', '"a b"'),
        (r'"a\"b"', r'"a\"b"'),
        (r'"a\\b"', r'"a\\b"'),
        (r'"\a\@b"', '"a@b"'),
        ('".ann"', '".ann"'),
        ('"an..n"', '"an..n"'),
        ('""', '""'),
        ('"' + "l" * 64 + '"', "l" * 64),
        ('"' + r"\l" * 64 + '"', "l" * 64),
    ],
)
def test_a_mailbox_has_one_spelling(spelt: str, canonical: str) -> None:
    """RFC 5321 section 4.1.2: quotes that nothing needs are no part of the name."""
    address = f"{canonical}@example.org"
    email = composed(recipient=f"Ann <{spelt}@example.org>", cc=address, bcc=f"{spelt}@EXAMPLE.org")
    assert email.envelope.recipients == (address,)
    assert composed(sender=f"{spelt}@example.org").envelope.sender == address
    assert parse_address(address, "$").local_part == canonical


@pytest.mark.row(5)
@pytest.mark.parametrize(
    "address",
    [
        "<>",
        " <> ",
        "ann",
        "@",
        "@example.org",
        "ann@",
        "Ann <>",
        "Ann <ann>",
        "Ann",
        "ann @example.org",
        "ann@ example.org",
        "an n@example.org",
        "ann@example.org\r\n",
        "\nann@example.org",
        "<ann@example.org\r>",
        "Ann <ann@example.org>\n",
        "\u00a0ann@example.org",
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


@pytest.mark.parametrize("address", ["Ann <ann@example.org>", "<ann@example.org>", "", " "])
def test_a_mailbox_has_its_name_apart(address: str) -> None:
    assert refused(cc=[Mailbox(address)]) == (INVALID, "$.cc[0].email")


@pytest.mark.row(9)
@pytest.mark.parametrize(
    "address",
    [
        "l" * 65 + "@example.org",
        "é" * 33 + "@example.org",
        '"' + "l" * 65 + '"@example.org',
        '"' + r"\l" * 65 + '"@example.org',
        '"' + " " * 63 + '"@example.org',
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
