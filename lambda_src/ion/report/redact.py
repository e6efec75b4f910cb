"""A server's reply, fit to be kept: in the words that mail servers use, and in no others.

A server repeats what it likes: a refused address, a subject, a line of the body, the login; plain,
in base64, in percent signs. No pattern finds all of that, so nothing is searched for. A reply is
kept word by word, and only words of the list below are kept; `***` stands for the rest.

One exception: what a server that took an email calls it, where it says no more than that.
"""

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, lru_cache
from itertools import pairwise

LONGEST_REPLY = 200
_READ = 4_000
"""Characters that are looked at. A server can make its reply 32 KB, and everything else waits."""

_HIDDEN = "***"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+|[\ud800-\udfff\ufffe\uffff]")
# A quoted local part may have blanks in it, 64 characters at most (RFC 5321 section 4.5.3.1.1).
_ADDRESS = re.compile(
    r'"[^"@]{0,64}"@[^\s<>,;:()]+'
    r"|<[^<>@]*@[^<>]*>"
    r"|(?<![^\s<>])[^\s<>@]*@[^\s<>,;:()]*(?:[,;:()]+[^\s<>,;:()]+)*"
)
# What a server puts between quotes may be the publisher's words, be they ordinary ones.
_QUOTED = re.compile(
    r'"[^"\s]*\s[^"]*"|(?<!\w)\'[^\'\s]*\s[^\']*\'(?!\w)|\u201c[^\u201d]*\u201d|\u00ab[^\u00bb]*\u00bb'
)
_WORD = re.compile(r"[^\s:;,()<>\[\]{}|\"'`\u2019]+")
_PARTS = re.compile(r"[-./=_]")
_MARKS = frozenset(("", "-", "--", "/", "&", "+", "=", _HIDDEN))
_CODE = re.compile(r"[245]\d\d")
_ENTRA = re.compile(r"AADSTS\d{5,7}")
"""Microsoft's number for why it gives no access token; smtp.oauth has no other word of it."""
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
# How an outcome begins, which is ours; a reply begins with its code.
_OUTCOME = re.compile(r"([A-Z][A-Z0-9_]* at [a-z]+)(?::|\Z)")
_COUNT = re.compile(
    r"\d{1,4}(?= (?:seconds?|minutes?|hours?|days?|messages?|recipients?|connections?|KB|MB)\b)"
    r"|\d{1,9}(?= (?:octets|messages moved)\b)|(?<=the server takes )\d{1,20}(?!\S)"  # ion's own
)
_RUN = re.compile(r"\*\*\*(?:[\s:;,./=]*\*\*\*)+")
# To look for an email on the server takes the name that it has there.
_QUEUED = (
    # as Postfix, Exim, SES, SendGrid and Gmail say it
    re.compile(
        r"25\d (?:2\.\d\.\d )?ok:? *(?:queued as |id=|\d{10} )?([0-9A-Za-z_-]{10,80})(?: - gsmtp)?",
        re.IGNORECASE,
    ),
    # as Sendmail and OpenSMTPD do
    re.compile(r"25\d (?:2\.\d\.\d )?([0-9A-Za-z]{8,80}) Message accepted for delivery"),
)
_EXCHANGE = re.compile(
    r"(25\d 2\.6\.0) <[^<>\s]{0,320}> \[InternalId=(\d{8,20}), Hostname=[0-9A-Za-z.-]{1,253}\]"
    r" \d{1,10} bytes in \S{1,20} \S{1,20} KB/sec Queued mail for delivery"
)
_KEPT_OF_EXCHANGE = re.compile(r"25\d 2\.6\.0 InternalId=(\d{8,20})")
_DIGITS_OF_ID = 3
_SHARE_OF_TEXT = 0.8

_WORDS = """
    8bitmime a able aborted about abuse abused accents accept acceptable accepted accepting accepts
    access accessdenied accessdeniedexception accessed accesserror accordance account accounts
    action actions activate activated activation active activity add additional address addressed
    addresses addressfamilynotsupported addresskeyunreadable addressunreadable administrative
    administrator adr advertise advertised after again against age agree aka alert alias aliases all
    allocation allow allowed allowing allows already also alternate alternative always am amount an
    and anonymous another answer anti any anymore api appears apple application apply are arguments
    arn around as ascii ask asked associated at attachment attachments attempt attempted attempting
    attempts auth authenticate authenticated authenticating authentication authority authorization
    authorized authrequired automatically available aws b back backoff bad badrcptto balance banned
    based basic batv bdat be bearer because been before begin beginning begun behalf being belong
    belongs best between beyond big bigger binarymime bit bl blacklist blacklisted blank block
    blocked blocking blockingioerror blocklist blocklisted blocks body bounce bounced bounces
    boundary broken brokenpipeerror browser bulk busy but by bypass bytes ca call called can
    cancelled cannot cause caused cert certificate certificates chain change changed channel
    character characters check checking checks chunking cipher ciphers claim claimed classified
    click client clients clientsubmit close close_notify closed closes closing cloudflare code codes
    com come command commands common commonname complaint complaints complete completed completion
    compliant compromised computer concurrent conditions configuration configured connect connected
    connecting connection connectionabortederror connectionclosederror connectionerror
    connectionrefusederror connectionreseterror connections connects connecttimeouterror consecutive
    consumer contact contacting contain contained contains content contents continue continuous
    control controlunreadable conversation conversion copy correct corresponding corrupt corrupted
    could couldn count cram cram-md5 create credential credentials credits crl current currently
    customer cut d daily dailylimit dane data database date day days deactivated dead decode
    decryption deferred deferring delay delayed delete deleted deliver deliverability delivered
    delivering delivery denied deny denylist depth destination destinations detail details detected
    determine device did didn died differs diffie digest direct directions directly directory
    disabled disallowed discarded disconnect disconnected disconnecting disk dkim dmarc dns dnsbl
    dnssec do docs does doesn domain domains don dot double down dropped due duplicate during
    dynamic each early ec ecc ehlo eightbitmime either eliminated email emails empty enable enabled
    encoded encoding encountered encrypted encryption end ending endpoint endpointconnectionerror
    enforced enough ensure entries entry envelope environment eof eoferror equal error errors
    escalate esmtp established etrn exceded exceed exceeded exceeding exceeds exception excessive
    exchange exchanger exist existing exists expect expected expecting expects expired expiredtoken
    explanation explicit extended extension extra fail failed failing fails failure failures fair
    false fast fatal feedback few field file files filter filtered filtering final find fingerprint
    first fixed flagged folder follow followed following for forbidden forged form format forward
    forwarded forwarding forwards found free frequency frequent frequently from frozen full function
    further gateway general generic get given gmail gmx go goes good goodbye google got grant gray
    graylist graylisted graylisting greeting grey greylist greylisted greylisting gsmtp gssapi
    guidelines had handshake hang hard has hasn have haven header headers heavy hellman hello helo
    help here hi high history hit hold hook hop hops host hostname hostnames hosts hour hourly hours
    how html http https hung i iam id ident identified identities identity idle ietf if ignored
    illegal immediately impersonation implemented implicit imposed improper in inactive inbound
    inbox included includes incompletereaderror incorrect increase indicate indicates infected
    information initial input insecure inside instead insufficient intended intermediate internal
    internalerror internalfailure internalservererror internet interruptederror invalid
    invalidclienttokenid io ion iosb ip ips ipv4 ipv6 is isn issue issued issuer issues it its job
    json junk just kb keep key kms known lacks large larger last later learn least left legacy
    legitimate length less let letter level license like likelihood likely limit limitation limited
    limiting limits line lines link links list listed listing literals ll load loaded local locale
    location lock locked log logged login logins long longer look lookup loop loops lost low lower m
    mail mailbox mailboxes maildir mailer mailgun mailing mails maintenance malformed malicious
    malware many map mapiexceptionsendasdenied marked match matched max maximum may mb md5 me means
    mechanism meet memory message messagelabs messages met method mib microsoft might milter mime
    mimecast minimum minute minutes mismatch missing mode month more most move moved ms mta much
    multiple must mx mx1 mx2 my name named names need needed needs negotiate negotiated negotiation
    nested net network never new newaliases next no non none nonexistentqueue noop nor normal
    nosuchuser not notice notification notify now ntlm null number numbers oauth oauthbearer
    obtained occurred octet octets of off offending offer offered offers office ok old on once one
    only open openssl operation operational operator option optional options or order org
    organization original originating oserror other others our out outbound outgoing outlook outside
    over overlimit overloaded overquota overquotaperm overquotatemp own owned owner pair parameter
    parameters parse part partial party pass passed password path paused peak peer peers pending per
    perform performed period permanent permanently permission permissionerror permissions permit
    permitted persist phishing pipelining plain plaintext please plus point pointer policies policy
    pool poor port possible possibly postfix postmaster potential pre pre-authentication precede
    pregreet presence present presents prevent prevents previous prior privacy private probation
    problem problems process processed processing prod production program prohibited prohibition
    proofpoint proper properly protect protected protection protocol provide provided provider
    provisionedthroughputexceededexception proxy ptr public purported purpose purposes quarantined
    query queue queued queuedoesnotexist quickly quit quota quotas quoted range rate rates rbl rcpt
    rcpthosts rdns re reach reached reactivate read reading readtimeouterror ready reason reasons
    receipt receive received receiver receiving receivingrateperm recent recipient recipientnotfound
    recipients recipnotfound recipsizelimit recognised recognized record records recover redirect
    reduce refer reference refusal refused refusing regarding region regions register registered
    regular reject rejected rejecting rejection rejections rejectmessage rejects relay relayed
    relaying remote removal remove removed renegotiation repeat repeated repeatedly replica replied
    reply reported reports reputation request requested requests requestthrottled require required
    requirement requirements requires resend reset residential resolve resolved resolver resource
    resourcenotfoundexception resources respond responding response responsible rest restricted
    restriction restrictions result results resume retries retry retry-after return returned reverse
    review revocation revoked rfc right risk role root routing rset rule rules run running
    runtimeerror s said same sandbox sasl scan scanner scanning scope score scram-sha-1
    scram-sha-256 second secondary seconds section secure security see seem seems self self-signed
    send sendas sendasdenied sendasdeniedexception sender senders sendgrid sending sendrawemail
    sends sent sequence server servers service services serviceunavailable ses session sessions set
    settings setup several shared short shortage shorter should show shut shutdown shutting sign
    signature signed simplequeueservice since site size slow small smaller smtp
    smtpclientauthentication smtpserverdisconnected smtputf8 so socket soft some something sometime
    soon sorry source space spaces spam spamassassin spamcop spamhaus spammer spamming spammy speak
    speaks specific specifications specified spf spoke spoken spoofed spoofing spool ssl
    sslcertverificationerror ssleoferror sslerror sslwantreaderror sslzeroreturnerror stale staple
    start started starttls state stated status still stop stopped storage store stored storedrv
    stream stress string strong sub subdomains subject subjectaltname submission
    submissionquotaexceededexception submit submitted subscribed subscriber subsequent subtype
    success successful successfully such suggested suitable support supported suspected suspended
    suspicious synchronization syntax system systems t table take taken takes talk target tarpit
    task tasks tcp team temp temporarily temporary tenant tenantattribution terminated test text
    than that the their them then there these they this thread threat three threshold throttle
    throttled throttling throttlingexception through throughput time timed timeout timeouterror
    times tls tlsv1 tlsv1.2 tlsv1.3 to together token too total tough traffic transaction transfer
    transient translation transmission transport tried trigger triggered true trust trusted try
    trying turn turned twice two txt type typos unable unacceptable unauthenticated unauthorized
    unavailable unblock unconfigured undeliverable under understood unencrypted unexpected
    unfortunately unhandled unicode unknown unless unnecessary unreachable unrecognised unrecognized
    unrecognizedclientexception unrecoverable unregistered unresolvable unroutable unrouteable
    unsafe unsolicited unsolicitedratelimiterror unsuccessful unsuitable unsupported until untrusted
    unusual unverified up update upgrade upon upstream uri url urls us usage use used user username
    users using utf utf8 valid validation value valueerror ve verification verified verify verifying
    verp version versions very via victim violated violates violation virtual virus viruses visit
    volume vrfy wait waiting want warning was wasn way we weak web were weren what when where
    whether which while whitelist whitelisted whitespace who whole why will window with within
    without wizard won word work working workspace worm would write writing wrong x x.509 xoauth2
    yahoo yes yet you your yourself zen zoho
"""
"""How servers say no (RFC 3463, Postfix, Exim, Exchange, Gmail, SES, SendGrid …), and how OpenSSL,
Python and ion itself say that it didn't come to a reply."""


def redact(text: str, addresses: Iterable[str] = ()) -> str:
    """At most 200 characters of `text`: codes, and words of mail servers.

    Args:
        text: a server's reply, or what we say in place of one.
        addresses: those of this email: a local part may be an ordinary word.
    """
    theirs = {part for address in addresses for part in _names(address)}
    text = _CONTROL.sub(" ", text[:_READ]).strip()
    outcome = _OUTCOME.match(text)
    ours = f"{outcome[0]} " if outcome else ""
    said = text.removeprefix(ours.rstrip()).lstrip()
    return (ours + _redacted(said, theirs))[:LONGEST_REPLY].rstrip()


@lru_cache(maxsize=100)  # it is asked for twice an email: for the row, and for the log
def id_in(reply: str) -> str:
    """What the server calls an email that it took; empty: its reply doesn't say.

    Args:
        reply: as `redact` has kept it.
    """
    exchange = _KEPT_OF_EXCHANGE.fullmatch(reply)
    return exchange[1] if exchange else _name_in(reply)


def _name_in(reply: str) -> str:
    """The name of an email in a reply that says no more than that; empty: it is another reply."""
    return next((found[1] for one in _QUEUED if (found := one.fullmatch(reply))), "")


def _redacted(text: str, theirs: set[str]) -> str:
    if exchange := _EXCHANGE.fullmatch(text):
        short = f"{exchange[1]} InternalId={exchange[2]}"
        if not (_is_said(exchange[2]) or _is_theirs(exchange[2], theirs)):
            return short
    name = _name_in(text)
    if name and _is_id(name) and not _is_theirs(name, theirs):
        return text
    text = _QUOTED.sub(_HIDDEN, _ADDRESS.sub("<address>", text))

    def kept(found: re.Match[str]) -> str:
        word = found[0].rstrip(".!?")
        end = found[0][len(word) :][:3]
        if _is_theirs(word, theirs):
            return f"<address>{end}"
        return (word if _is_known(word) or _is_number(word, found) else _HIDDEN) + end

    return _RUN.sub(_HIDDEN, _WORD.sub(kept, text))


def _names(address: str) -> tuple[str, ...]:
    """The parts by which an address may be repeated: local part, domain."""
    local, _, domain = address.lower().rpartition("@")
    return tuple(filter(None, (local, local.strip('"'), domain))) if local else ()


def _is_theirs(word: str, theirs: set[str]) -> bool:
    folded = word.lower()
    return folded in theirs or not theirs.isdisjoint(_PARTS.split(folded))


def _is_known(word: str) -> bool:
    """True for a word of the list, for several joined ("try-later"), and for lone marks."""
    folded = word.lower()
    if folded in _MARKS or folded in _known():
        return True
    return _known().issuperset(_PARTS.split(folded))


@cache
def _known() -> frozenset[str]:
    return frozenset(_WORDS.split())


def _is_number(word: str, found: re.Match[str]) -> bool:
    """True for the reply code, an enhanced or Microsoft's, and so many seconds or recipients."""
    text, start = found.string, found.start()
    if _ENHANCED.fullmatch(word) or _ENTRA.fullmatch(word) or _COUNT.match(text, start):
        return True
    return start == 0 and _CODE.fullmatch(word) is not None


def _is_id(word: str) -> bool:
    """True for what looks drawn by lot: digits, or a digit among letters of both cases by turns.

    Text in hex or base64 looks so, and is none.
    """
    digits = len(re.findall(r"\d", word))
    turns = sum(_kind(one) != _kind(other) for one, other in pairwise(word))
    drawn = digits >= _DIGITS_OF_ID or (digits and turns >= len(word) / 2)
    return bool(drawn) and not any(map(_is_text, _decoded(word)))


def _kind(character: str) -> tuple[bool, bool]:
    return character.islower(), character.isupper()


def _is_said(digits: str) -> bool:
    """True for a number that spells words in hex, two digits a letter."""
    if len(digits) % 2:
        return False
    octets = bytes.fromhex(digits)
    return len(re.findall(rb"[ -~]", octets)) > _SHARE_OF_TEXT * len(octets)


def _decoded(word: str) -> Iterator[bytes]:
    with suppress(ValueError):
        yield bytes.fromhex(word.replace("-", ""))
    with suppress(binascii.Error):
        yield urlsafe_b64decode(word + "=" * (-len(word) % 4))


def _is_text(octets: bytes) -> bool:
    """True for what chance hardly ever makes: UTF-8, or nearly nothing but ASCII."""
    try:
        octets.decode()
    except UnicodeDecodeError:
        return len(re.findall(rb"[ -~\s]", octets)) > _SHARE_OF_TEXT * len(octets)
    return True
