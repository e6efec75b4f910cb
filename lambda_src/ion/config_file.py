"""A configuration file with the environment above it; errors name place and key, never a value."""

import configparser
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ion.nearest import nearest

_ENVIRONMENT_PREFIX = "ION_"
_SECTION_LINE = re.compile(r"\[(.+)\](.*)")
_KEY_LINE = re.compile(r"([^=:]+?)\s*[=:]")
_FAULTS = {
    "MissingSectionHeaderError": "stands before the first [section] line",
    "DuplicateSectionError": "a section that is there already",
    "DuplicateOptionError": "a key that is in its section already",
    "ParsingError": "is neither [section] nor key = value",
}
"""Faults that `configparser` raises."""

_LITERAL = re.compile(r'""(.*)""')
_IN_QUOTES = re.compile(r"""(["']).*\1""")
_HAS_COMMENT = re.compile(r"\s[#;]")
_OR_LITERAL = ' (or, if that is part of it, put the whole between "" and "")'

Known = Mapping[str, Collection[str]]
"""The keys that each section may have."""


class SettingsError(Exception):
    """A setting is wrong or missing. The text names file, line, section and key, never a value."""


class ConfigFile:
    """Sections of keys, and the environment variables ION_<SECTION>_<KEY> that go before them.

    Args:
        name: what errors call it.
        text: the file's.
        environment: of the process; empty: nothing goes before the file.
        is_secret: what is no known name is repeated in no error: it may be half a password.

    Raises:
        SettingsError: it has no sections and keys.
    """

    def __init__(
        self, name: str, text: str, environment: Mapping[str, str], *, is_secret: bool = False
    ) -> None:
        self.name = name
        self.environment = environment
        self._text = text.removeprefix("\ufeff")  # Windows' editors begin a file with it
        self._is_secret = is_secret
        # No section is special: keys under [DEFAULT] would show up in every other one.
        self._parser = configparser.RawConfigParser(default_section="")
        try:
            self._parser.read_string(self._text)
        except configparser.Error as error:
            # The parser's own message repeats the line, which may be the password's.
            numbers = [
                getattr(error, "lineno", None),
                *(n for n, _ in getattr(error, "errors", [])),
            ]
            why = _FAULTS.get(type(error).__name__, "is not understood")
            form = "a configuration has [section] lines and key = value lines"
            raise self._at_line(next(filter(None, numbers), 0), f"{why}; {form}") from None

    @property
    def sections(self) -> list[str]:
        """Their names, in the order of the file."""
        return self._parser.sections()

    def section(self, name: str) -> "Section":
        """The section of that name; it may be missing from the file."""
        return Section(self, name)

    def value(self, section: str, key: str) -> str:
        """As it is written, blanks around it aside; empty: it is missing."""
        value = self.environment.get(variable(section, key))
        return (self._in_file(section, key) if value is None else value).strip()

    def _in_file(self, section: str, key: str) -> str:
        return self._parser.get(section, key, fallback="")

    def refuse_unknown(self, known: Known, sections: str, elsewhere: Mapping[str, str]) -> None:
        """Refuse what would be passed over: a misspelt name, a line that belongs to another.

        Args:
            known: the keys of each section.
            sections: which there may be, for a person.
            elsewhere: keys of another file, and its name.

        Raises:
            SettingsError: for the first line that is wrong, else for the first variable.
        """
        for number, section, key in self._lines():
            keys = known.get(section)
            if keys is None:
                why = f"unknown section; {sections}"
                raise self._at_line(number, why if self._is_secret else f"[{section}]: {why}")
            if key and key not in keys:
                why = f"unknown key{_hint(key, keys, elsewhere)}; [{section}] has {', '.join(keys)}"
                raise self._at_line(number, why if self._is_secret else f"[{section}] {key}: {why}")
            if "\n" in self._in_file(section, key):
                why = "goes on over the next line, which is indented: begin each line at the margin"
                raise self._at_line(number, f"[{section}] {key}: {why}")
        variables = [variable(section, key) for section, keys in known.items() for key in keys]
        others = {variable(section, key): f for section in known for key, f in elsewhere.items()}
        for name in self.environment:
            if name.upper().startswith(_ENVIRONMENT_PREFIX) and name not in variables:
                hint = _hint(name, variables, others)
                raise SettingsError(f"environment: {name}: no such setting{hint}")

    def _at_line(self, number: int, why: str) -> SettingsError:
        where = f"{self.name}: line {number}" if number else self.name
        return SettingsError(f"{where}: {why}")

    def _lines(self) -> Iterator[tuple[int, str, str]]:
        """Number, section and key of each line that has a key; without key, a section's own.

        What the parser sees, as long as no value goes on over another line. What stands behind a
        section the parser passes over: it is refused here.
        """
        section = ""
        for number, line in enumerate(map(str.strip, self._text.split("\n")), 1):
            if line.startswith(("#", ";")):
                continue
            if found := _SECTION_LINE.match(line):
                section = found[1]
                if found[2]:
                    raise self._at_line(number, "has more than [section]: put it on the next line")
                yield number, section, ""
            elif found := _KEY_LINE.match(line):
                yield number, section, found[1].lower()


@dataclass(frozen=True)
class Section:
    """One section of a file, read key by key.

    All methods raise `SettingsError` for a value that is missing or isn't what it should be.
    """

    file: ConfigFile
    name: str

    def wrong(self, key: str, why: str) -> SettingsError:
        """The error that names the key and the place where its value is from."""
        where = self.file.name
        if variable(self.name, key) in self.file.environment:
            where = f"environment {variable(self.name, key)}"
        return SettingsError(f"{where}: [{self.name}] {key}: {why}")

    def text(self, key: str, *, default: str | None = None, may_have_marks: bool = False) -> str:
        """The value as it stands; `""x""` is x, even if x looks like quotes or a comment.

        Args:
            key: which.
            default: for a value that is empty or left out; None: it must be there.
            may_have_marks: " #" and " ;" begin no comment in it.
        """
        value = self.file.value(self.name, key)
        if literal := _LITERAL.fullmatch(value):
            return literal[1]
        if value == "???":
            raise self.wrong(key, "still is the example's ???")
        if _IN_QUOTES.fullmatch(value):
            raise self.wrong(key, f"is in quotes: take them away{_OR_LITERAL}")
        if _HAS_COMMENT.search(value) and not may_have_marks:
            why = f"has a comment behind it: give that a line of its own{_OR_LITERAL}"
            raise self.wrong(key, why)
        if not value:
            if default is None:
                raise self.wrong(key, "is missing")
            return default
        return value

    def number(self, key: str, least: int, most: int, *, default: str | None = None) -> int:
        """A whole number within bounds."""
        text = self.text(key, default=default)
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise self.wrong(key, f"must be a whole number from {least} to {most}")
        return int(text)

    def decimal(self, key: str, least: float, most: float) -> float | None:
        """A number within bounds; None: it is left empty, or out."""
        text = self.text(key, default="")
        if not text:
            return None
        is_one = re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII) is not None
        if not is_one or not least <= float(text) <= most:
            raise self.wrong(key, f"must be a number from {least:g} to {most:g}, or empty")
        return float(text)

    def one_of(self, key: str, values: list[Any], *, default: str | None = None) -> str:
        """One of some words."""
        text = self.text(key, default=default)
        if text not in values:
            raise self.wrong(key, f"must be one of {', '.join(values)}")
        return text

    def address(self, key: str, is_address: Callable[[str], bool]) -> str | None:
        """An email address, perhaps with a name; None: it is left empty, or out."""
        text = self.text(key, default="", may_have_marks=True)
        if text and not is_address(text):
            why = "is no email address: write name@example.org, or Name <name@example.org>"
            raise self.wrong(key, why)
        return text or None


def variable(section: str, key: str) -> str:
    """The environment variable of a key: ION_SMTP_BACKUP_CONNECTIONS."""
    return f"{_ENVIRONMENT_PREFIX}{section.replace(':', '_')}_{key}".upper()


def _hint(name: str, known: Collection[str], elsewhere: Mapping[str, str]) -> str:
    """Advice about an unknown name; repeats only known names."""
    if name in elsewhere:
        return f": {name} belongs in {elsewhere[name]}"
    near = nearest(name, known)
    return f", did you mean {near}?" if near else ""
