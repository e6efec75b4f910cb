"""Whoever publishes emails."""

import itertools
import json
from typing import TYPE_CHECKING, Any

from emulated import Account
from ion.contract import Lane
from ion.delivery import InDoubt
from ion.outcome import Reason
from machine.books import OWN, Books
from machine.emails import USUAL, Email, Wishes

if TYPE_CHECKING:
    from clock import Clock

_stories = itertools.count()

BAD = {
    "{broken": Reason.BAD_JSON,
    '{"action": "send", "recipient": "a@b.example"}': Reason.INVALID_SCHEMA,
    '{"action": "send", "recipient": "a b", "body_text": "x"}': Reason.INVALID_ADDRESS,
    '{"action": "send", "recipient": "a@b.example", "body_text": "x", "headers": {"To": "c"}}': (
        Reason.HEADER_NAME
    ),
}


class Publisher:
    """Of one story.

    Args:
        account: the relay's AWS.
        clock: the true time.
        books: told of what is published.
        in_doubt: the relay's policy.
    """

    def __init__(self, account: Account, clock: "Clock", books: Books, in_doubt: InDoubt) -> None:
        self._account = account
        self._clock = clock
        self._books = books
        self._in_doubt = in_doubt
        self._story = next(_stories)

    @property
    def named(self) -> list[Email]:
        """Emails that the publisher has named."""
        return [email for email in self._books.emails if email.key not in email.ids]

    @property
    def next_key(self) -> str:
        """A name that no email has yet."""
        return f"story-{self._story}-early-{len(self._books.announced)}"

    def publish(
        self,
        recipients: int,
        *,
        named: bool,
        policy: InDoubt | None,
        malformed: bool = False,
        wishes: Wishes = USUAL,
        key: str | None = None,
    ) -> Email:
        """A new email.

        Args:
            recipients: how many; the last of several is a blind copy.
            named: whether it has an `email_id`.
            policy: its own, if any.
            malformed: the server can't read the address of the second of several recipients.
            wishes: what else it asks for.
            key: its `email_id`, if that is known already: another email may have it.
        """
        number = len(self._books.emails)
        addresses = [f"e{number}r{i}@example.org" for i in range(recipients)]
        refused = frozenset(addresses[1:2] if malformed else ())
        content: dict[str, Any] = {
            "action": "send",
            "recipient": addresses[:-1] or addresses,
            "subject": f"e{number}",
            "body_text": ".\r\n.x\r\nGrüße",
            **wishes.content(self._clock()),
        }
        if recipients > 1:
            content["bcc"] = addresses[-1]
        if policy is not None:
            content["in_doubt"] = policy.value
        if key is not None:
            content["email_id"] = key
        elif named:
            content["email_id"] = f"story-{self._story}-email-{number}"
        email = Email(
            number,
            {json.dumps(content)},
            tuple(addresses),
            content.get("email_id", ""),
            policy or self._in_doubt,
            malformed=refused,
            content=content,
        )
        self._publish(email, json.dumps(content), by_bulk_door=wishes.by_bulk_door)
        email.key = email.key or email.ids[0]
        self._books.emails.append(email)
        return email

    def publish_again(self, email: Email, *, respelt: bool, by_bulk_door: bool = False) -> None:
        """The publisher isn't sure that it has published this."""
        body = min(email.bodies, key=len)
        if respelt:
            body = json.dumps(json.loads(body), indent=1, ensure_ascii=False, sort_keys=True)
            email.bodies.add(body)
        email.publications += 1
        self._publish(email, body, by_bulk_door=by_bulk_door)

    def publish_bad(self, what: str) -> None:
        """What can't become an email."""
        number = len(self._books.emails)
        body = f"{what}{' ' * number}"
        email = Email(number, {body}, (), "", "", bad=BAD[what])
        self._publish(email, body)
        email.key = email.ids[0]
        self._books.emails.append(email)

    def _publish(self, email: Email, body: str, *, by_bulk_door: bool = False) -> None:
        url = self._account.bulk_url if by_bulk_door else self._account.input_url
        email.ids.append(self._account.publish(body, {"own": OWN}, url))
        is_bulk = by_bulk_door or email.content.get("lane") == Lane.BULK
        email.lanes.add(Lane.BULK if is_bulk else Lane.NORMAL)
