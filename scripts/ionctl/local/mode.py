"""How the local mail server behaves; the console's switches set it."""

from enum import StrEnum


class Mode(StrEnum):
    """Well, or a fault that ion has to live with."""

    WELL = "well"
    WRONG_LOGIN = "wrong_login"
    """Each login is refused: 535."""
    DOWN = "down"
    """Connections are cut, those that are there and each new one at once."""
    SLOW = "slow"
    """Each reply comes a second late."""
    FULL = "full"
    """The disk is full: 452 4.3.1 to MAIL, as Postfix says it."""
    QUOTA = "quota"
    """The day's emails are sent: 454 to MAIL, as SES says it."""
    THROTTLE = "throttle"
    """One email a second, as in SES's sandbox; 454 to the others after DATA."""
