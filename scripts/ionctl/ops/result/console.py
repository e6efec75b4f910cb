"""Where the console is."""

from ionctl.ops.result.base import Result


class ConsoleAddress(Result, frozen=True, kw_only=True):
    """Where the console is. `url`: to be opened in a browser of this machine; has its token."""

    url: str
