"""Fields of a payload, read leniently: every look has an answer, whatever is there."""

from typing import Any

from bot.text import refs

TEXT = 255
"""Characters of a name that is read; GitHub's own are no longer."""


class Unreadable(ValueError):
    """An event without what is needed, or one that starts nothing: the sentence says which."""


class Payload:
    """A payload as it came; every look at it has an answer."""

    def __init__(self, data: object) -> None:
        self._data = data

    def value(self, *path: str) -> Any:
        """What is at `path`, None where there is nothing."""
        found = self._data
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def text(self, *path: str) -> str:
        """The text at `path`, empty where there is none or one that no name is as long as."""
        found = self.value(*path)
        return found if isinstance(found, str) and len(found) <= TEXT and is_sayable(found) else ""

    def number(self, *path: str) -> int | None:
        """The whole number at `path` that counts something and fits where it is stored."""
        found = self.value(*path)
        whole = isinstance(found, int) and not isinstance(found, bool)
        return found if whole and 0 < found < 1 << 62 else None

    def sha(self, *path: str) -> str:
        """The full SHA at `path`."""
        found = self.text(*path)
        return found if refs.is_full_sha(found) else ""

    def branch(self, *path: str) -> str:
        """The name of a branch or a tag at `path`, without `refs/heads/`; empty where git lets none be so."""
        found = self.text(*path).removeprefix("refs/heads/")
        if found.startswith("refs/tags/"):
            found = found.removeprefix("refs/")
        return found if refs.is_name(found) else ""

    def needed(self, *path: str) -> int:
        """The number at `path`; raises `Unreadable`."""
        found = self.number(*path)
        if found is None:
            raise Unreadable(f"the payload lacks what is needed, first: {'.'.join(path)}")
        return found

    def words(self, *path: str) -> str:
        """The text at `path`; raises `Unreadable` where there is none."""
        found = self.text(*path)
        if not found:
            raise Unreadable(f"the payload lacks what is needed, first: {'.'.join(path)}")
        return found


def is_sayable(text: str) -> bool:
    """Whether the text can be stored and sent."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
