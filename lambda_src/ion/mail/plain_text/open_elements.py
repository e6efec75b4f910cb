"""The elements that are open, and which of them an end tag may end."""

from array import array

from ion.mail.plain_text.elements import GAPS, HEADINGS, IN_TABLES, LISTS, UNSEEN, WALLS

_INLINE = (
    *("a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "label"),
    *("mark", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u"),
)
_KNOWN = {name: name for name in (*_INLINE, *GAPS, *LISTS, *WALLS, *UNSEEN)}
"""One string a name, however many elements: they may lie a hundred thousand deep."""
_OTHER = "?"
"""All the elements of other names."""
_BLOCKS = frozenset(GAPS) | WALLS


class OpenElements:
    """A stack. An element's place is the number of those around it."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._places: dict[str, array[int]] = {}
        self._walls = array("I")
        self._blocks = array("I")

    def __len__(self) -> int:
        return len(self._names)

    def push(self, name: str) -> int:
        """Opens one, and gives its place."""
        name = _KNOWN.get(name, _OTHER)
        place = len(self._names)
        self._names.append(name)
        self._places.setdefault(name, array("I")).append(place)
        if name in WALLS:
            self._walls.append(place)
        if name in _BLOCKS:
            self._blocks.append(place)
        return place

    def pop(self) -> str:
        """Closes the innermost one, and gives its name."""
        name = self._names.pop()
        self._places[name].pop()
        if name in WALLS:
            self._walls.pop()
        if name in _BLOCKS:
            self._blocks.pop()
        return name

    def last(self, *names: str) -> int:
        """The place of the innermost one of these names; -1: there is none."""
        return max([places[-1] if (places := self._places.get(one)) else -1 for one in names])

    @property
    def wall(self) -> int:
        """The place of the innermost element which tags inside it can't look out of, or -1."""
        return self._walls[-1] if self._walls else -1

    def ended_by(self, name: str) -> int:
        """The place of the element that an end tag ends (HTML standard, 13.2.6); -1: none."""
        name = _KNOWN.get(name, _OTHER)
        around = self._around(name)
        place = self.last(*(HEADINGS if name in HEADINGS else (name,)))
        return place if place >= around else -1

    def _around(self, name: str) -> int:
        if name == "table":
            return 0
        if name in IN_TABLES:
            return self.last("table")
        if name == "li":
            return max(self.wall, self.last(*LISTS))
        if name in _BLOCKS:
            return self.wall
        return self._blocks[-1] if self._blocks else 0
