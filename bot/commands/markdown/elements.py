"""Which HTML elements are open where a comment holds raw HTML, as a browser sees it."""

from dataclasses import dataclass, field

_FOLDED = frozenset(
    {"audio", "blockquote", "button", "canvas", "code", "del", "details", "dialog", "kbd", "math"}
    | {"noscript", "object", "pre", "q", "s", "samp", "select", "strike", "summary", "svg", "table"}
    | {"template", "tt", "var", "video"}
)
"""HTML elements whose content is folded away, quoted, code or struck out."""

_FORMATTING = frozenset({"code", "s", "strike", "tt"})
"""Those of them that a browser opens again after something around them has ended.

https://html.spec.whatwg.org/multipage/parsing.html#reconstruct-the-active-formatting-elements
"""


_OPEN = 100
"""Elements that may be open at the same time; where there are more, what follows counts as hidden."""


@dataclass
class Elements:
    """Which HTML elements are open as a browser sees it; true while they hide what follows.

    CommonMark ends most HTML blocks at a blank line, but the element in it stays open until its end
    tag (or until the list or quote around it ends). What is never finished hides all that follows.
    """

    unfinished: bool = False
    elements: list[str] = field(default_factory=list)
    containers: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.unfinished or bool(self.elements)

    def container(self, nesting: int) -> None:
        """A list, quote or table begins (1) or ends (-1), and with it the elements opened inside.

        A quote stays: the end tag of the quote around it ends it and leaves the outer one open.
        """
        if nesting == 1:
            self.containers.append(len(self.elements))
        elif nesting == -1 and self.containers:
            self._close(self.containers.pop(), _FORMATTING | {"blockquote"})

    def read(self, source: str) -> None:
        """Take in raw HTML that stands in the comment.

        Versions of CommonMark differ on what is a declaration (`<!X <details>`), so within one tags
        open elements and close none.
        """
        position, limit = 0, -1
        while not self.unfinished and (position := source.find("<", position)) >= 0:
            if source.startswith("<!--", position):
                end = source.find("-->", position + 2)
            elif source[position + 1 : position + 2] in ("!", "?"):
                end, limit = position, source.find(">", position)
                self.unfinished = limit < 0
            elif source[position + 1 : position + 3].lstrip("/")[:1].isalpha():
                end = self._tag(source, position + 1, closes=position > limit)
            else:
                end = position
            self.unfinished = self.unfinished or end < 0
            position = end + 1

    def _tag(self, source: str, start: int, *, closes: bool) -> int:
        """Take in one tag; where it ends (its `>`), or -1."""
        closing = source[start] == "/"
        name_start = position = start + closing
        while position < len(source) and source[position] not in "\t\n\f\r />":
            position += 1
        name = source[name_start:position].lower()
        while position < len(source) and source[position] != ">":
            if source[position] in "\"'":
                position = source.find(source[position], position + 1)
                if position < 0:
                    return -1
            position += 1
        if position >= len(source):
            return -1
        if not closing and name in _FOLDED:
            self.elements.append(name)
            self.unfinished = len(self.elements) > _OPEN
        elif closing and closes:
            self._end(name)
        return position

    def _end(self, name: str) -> None:
        """An end tag: formatting ends alone, anything else with what was opened inside of it."""
        floor = self.containers[-1] if self.containers else 0
        for index in range(len(self.elements) - 1, floor - 1, -1):
            if self.elements[index] == name:
                del self.elements[index]
                if name not in _FORMATTING:
                    self._close(index, _FORMATTING)
                return

    def _close(self, start: int, lasting: frozenset[str]) -> None:
        """Close the elements from `start` on but those that last."""
        self.elements[start:] = [name for name in self.elements[start:] if name in lasting]
