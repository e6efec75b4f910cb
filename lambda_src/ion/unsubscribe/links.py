"""The links that go into emails: where the function is, and a token for each recipient."""

from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.contract import Send, given_tags
from ion.policy.suppression import ALL, tagged
from ion.unsubscribe.token import Subscription, make

PATH = "/u/"
"""Of a link, before its token."""


class Links:
    """Makes links; the same for the same recipient and the same tag.

    Args:
        url: of the function, or of what stands before it; without a slash at its end.
        key: the deployment's.
    """

    def __init__(self, url: str, key: AddressKey) -> None:
        self._url = url
        self._key = key

    async def link(self, send: Send, recipient: str) -> str:
        """The link of an email.

        Args:
            send: that asks for one.
            recipient: the email's only one, as the envelope has it.

        Raises:
            TableError: the key can't be known.
        """
        key = await self._key.get()
        subscription = Subscription(address_hash(key, recipient), scope_of(send))
        return f"{self._url}{PATH}{make(key, subscription)}"


def scope_of(send: Send) -> str:
    """Which mail the recipient of an email unsubscribes from."""
    name = send.unsubscribe_tag
    return ALL if name is None else tagged(name, given_tags(send.tags)[name])
