"""Log events of the unsubscribe function, with no address and no token in them."""

from aws_lambda_powertools import Logger


class UnsubscribeLog:
    """One JSON line an event."""

    def __init__(self) -> None:
        self._logger = Logger(level="INFO")

    def unsubscribed(self, hashed: str, scope: str) -> None:
        """Somebody doesn't want that mail any more.

        Args:
            hashed: the address's hash.
            scope: which mail.
        """
        self._logger.info("unsubscribed", extra={"address": hashed, "scope": scope})

    def forged(self) -> None:
        """A link has a token that this deployment hasn't made."""
        self._logger.warning("a token is no token of this deployment")

    def trouble(self, code: str) -> None:
        """The table can't be used, and who asked was told to come back; `code`: AWS's."""
        self._logger.error("the ledger's table can't be used", extra={"code": code})
