"""Lists whose entries are a word, or one key with more: what an entry is, or what was expected. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.catalog.conditions import Definition
from bot.text.wording import nearest

WORD = "word"
"""The kind of an entry that is a word; that of another is its key."""


@dataclass(frozen=True, slots=True)
class EntryKinds:
    """The `words` of a list, its keys with their `models`, and how those are `shown` to who wrote another."""

    words: Sequence[str]
    models: Mapping[str, type[Definition]]
    shown: str

    def of(self, entry: Any) -> str | None:
        """`WORD`, a key, or None for what is no entry of this list."""
        if isinstance(entry, str):
            return WORD if entry in self.words else None
        if isinstance(entry, Mapping):
            return next((key for key in self.models if key in entry), None)
        return next((key for key, model in self.models.items() if isinstance(entry, model)), None)

    def check(self, entry: object) -> object:
        """`entry`; `ValueError` with what was expected, and what is nearest to it."""
        if self.of(entry) is not None:
            return entry
        name = next(iter(entry), None) if isinstance(entry, Mapping) else entry
        near = nearest(name, [*self.words, *self.models]) if isinstance(name, str) else None
        hint = f"; did you mean {near}?" if near else ""
        raise ValueError(f"expected {', '.join(self.words)}, {self.shown}{hint}")
