"""Answers that are asked for again: GitHub says that nothing changed, and counts nothing for saying so.

https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LARGEST = 64 * 1024
"""Characters of an answer that is kept."""
KEPT_CHARACTERS = 8 * 1024 * 1024
"""Of all answers that are kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer with the name that GitHub gave to just this state of it."""

    etag: str
    headers: Mapping[str, str]
    data: Any
    text: str


class Answers:
    """The answers asked for last, by who asked, how and for what: nobody sees what another one may."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], Kept] = OrderedDict()
        self._characters = 0

    def find(self, key: tuple[str, ...]) -> Kept | None:
        """What was answered last."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: tuple[str, ...], answer: Kept) -> None:
        """Keep it, in place of what was answered before; what is too large is not."""
        old = self._kept.pop(key, None)
        self._characters -= len(old.text) if old is not None else 0
        if len(answer.text) > LARGEST:
            return
        self._kept[key] = answer
        self._characters += len(answer.text)
        while self._characters > KEPT_CHARACTERS:
            _, gone = self._kept.popitem(last=False)
            self._characters -= len(gone.text)
