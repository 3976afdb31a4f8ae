"""Masks many secrets in many short texts, as strictly as a run's log is.

Pure. What a text costs does not grow with the secrets: an index tells which of them may be in it, and
only these are looked for.
"""

import re
from collections.abc import Iterator

from executor.logs.encodings import forms
from executor.logs.gaps import Fold, Overstrike, Unseen
from executor.logs.redaction import masked

_GAPS = (Unseen(), Overstrike(), Fold())
_KEYS = {size: re.compile(rf"[A-Za-z0-9]{{{size},}}", re.ASCII) for size in (8, 4)}
"""Characters of a word by which forms are sorted, eight where it has them; with what finds such words."""


class LineMask:
    """Masks the secrets that were added."""

    def __init__(self) -> None:
        self._sizes: dict[bytes, int] = {}
        self._by_key: dict[int, dict[str, dict[bytes, None]]] = {size: {} for size in _KEYS}
        self._others: dict[bytes, tuple[bytes, ...]] = {}  # forms without a word

    @property
    def size(self) -> int:
        """Bytes of all ways to write the secrets."""
        return sum(self._sizes.values())

    def add(self, secret: bytes) -> None:
        """Look for it from now on."""
        shapes = forms(secret)
        self._sizes[secret] = sum(map(len, shapes))
        keys = {form: _key(form) for form in shapes}
        for key in set(keys.values()) - {""}:
            self._by_key[len(key)].setdefault(key, {})[secret] = None
        if others := tuple(form for form, key in keys.items() if not key):
            self._others[secret] = others

    def remove(self, secret: bytes) -> None:
        """Look for it no more."""
        if self._sizes.pop(secret, None) is None:
            return
        self._others.pop(secret, None)
        for key in {_key(form) for form in forms(secret)} - {""}:
            secrets = self._by_key[len(key)][key]
            secrets.pop(secret, None)
            if not secrets:
                del self._by_key[len(key)][key]

    def masked(self, text: str) -> str:
        """Give `text` without them."""
        secrets = {secret: None for view in _views(text) for secret in self._likely(view)}
        return masked(text, secrets) if secrets else text

    def _likely(self, text: str) -> Iterator[bytes]:
        for size, words in _KEYS.items():
            if not (by_key := self._by_key[size]):
                continue
            for word in words.findall(text):
                for at in range(len(word) - size + 1):
                    if (secrets := by_key.get(word[at : at + size])) is not None:
                        yield from secrets
        if self._others:
            data = text.encode(errors="replace")
            for secret, others in self._others.items():
                if any(form in data for form in others):
                    yield secret


def _key(form: bytes) -> str:
    """The beginning of the longest word in it; empty where it has none."""
    text = form.decode(errors="replace")
    longest = max(_KEYS[min(_KEYS)].findall(text), key=len, default="")
    return longest[: next((size for size in _KEYS if size <= len(longest)), 0)]


def _views(text: str) -> Iterator[str]:
    """What it is, and what it becomes where somebody reads it."""
    yield text
    if text.isascii() and text.isprintable():
        return
    data = text.encode(errors="replace")
    for gap in _GAPS:
        yield gap.without(data).decode(errors="replace")
