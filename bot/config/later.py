"""Keys that Errand knows but that have no effect in this version: each is a mistake, not a silence."""

from bot.config.document import Document, Path, Value

_JOB = frozenset({"approval"})

_LATER: dict[Path, frozenset[str]] = {
    ("jobs", "*"): _JOB,
    ("defaults",): _JOB,
}
"""By the path of the section; `*` stands for any name."""


def comes_later(path: Path) -> bool:
    """Whether the key at `path` belongs to a later version."""
    section, key = path[:-1], path[-1]
    for pattern, keys in _LATER.items():
        fits = len(pattern) == len(section) and all(
            part in ("*", actual) for part, actual in zip(pattern, section, strict=True)
        )
        if fits and key in keys:
            return True
    return False


def refuse_later(document: Document, value: Value, path: Path) -> None:
    """Add every key that belongs to a later version to the mistakes, also one that has its model already."""
    if not isinstance(value, dict):
        return
    for key in value:
        if comes_later((*path, key)):
            document.wrong((*path, key), f"{key} is not available in this version", key=True)
        else:
            refuse_later(document, value[key], (*path, key))
