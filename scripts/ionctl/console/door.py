"""A browser led to the console by a file: what is on its command line, every user can see."""

import webbrowser
from html import escape
from pathlib import Path

from ionctl.files import write_own
from ionctl.problem import Problem

_PAGE = """\
<!doctype html>
<meta charset="utf-8">
<title>ion</title>
<meta http-equiv="refresh" content="0; url={url}">
<p><a href="{url}">Open the console</a></p>
"""


def open_in_browser(url: str, file: Path) -> None:
    """Open the console.

    Args:
        url: of it, with the token.
        file: a page that leads there, readable for its owner alone, is written here; the caller
            takes it away.

    Raises:
        Problem: it can't be written.
    """
    try:
        write_own(file, _PAGE.format(url=escape(url)).encode())
    except OSError as error:
        raise Problem(
            f"{file} can't be written ({error.strerror}): leave --open out, and open the address"
        ) from error
    webbrowser.open(file.absolute().as_uri())
