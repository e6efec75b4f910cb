"""Which files of a template are for which locale."""

from collections.abc import Collection, Iterator

from ion.template.files import SUFFIX


def chosen(names: Collection[str], template: str, part: str, locale: str | None) -> str | None:
    """The file of a part ("body.html") that is for a locale; None: there is none.

    `body.de-AT.html.j2`, else `body.de.html.j2`, else `body.html.j2`, whatever their case.

    Args:
        names: of all files.
        template: its folder.
        part: "subject.txt", "body.txt" or "body.html".
        locale: a tag of BCP 47, `_` in the place of `-` or not.
    """
    stem, _, kind = part.partition(".")
    by_name = {name.lower(): name for name in names if name.startswith(f"{template}/")}
    for tag in _ever_shorter(locale or ""):
        file = f"{template}/{stem}{tag}.{kind}{SUFFIX}".lower()
        if file in by_name:
            return by_name[file]
    return None


def templates(names: Collection[str]) -> set[str]:
    """All templates: the folders that have a subject or a body."""
    found = set()
    for name in names:
        folder, _, file = name.rpartition("/")
        if folder and file.startswith(("subject.", "body.")):
            found.add(folder)
    return found


def _ever_shorter(locale: str) -> Iterator[str]:
    """RFC 4647 section 3.4: zh-Hant-TW, zh-Hant, zh, and then none; no single letter at the end."""
    subtags = locale.replace("_", "-").split("-") if locale else []
    while subtags:
        if len(subtags[-1]) > 1:
            yield "." + "-".join(subtags)
        subtags.pop()
    yield ""
