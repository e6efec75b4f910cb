"""What the shell may complete beside commands and options, without a call to AWS."""

from botocore.exceptions import BotoCoreError
from botocore.session import Session

from ion.outcome import Reason


def reasons(begun: str) -> list[str]:
    """Reasons of dead letters that begin so."""
    return [reason for reason in Reason if reason.startswith(begun)]


def profiles(begun: str) -> list[str]:
    """Profiles of the person's AWS configuration that begin so."""
    try:
        return [name for name in Session().available_profiles if name.startswith(begun)]
    except BotoCoreError:  # the file can't be read: the command will say so
        return []
