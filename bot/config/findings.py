"""What is found in a configuration, for people and programs: mistakes, and remarks on what is allowed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Literal

from bot.config.document import Mistake, TextPosition
from bot.errors import ConfigError

SHOWN = 100
"""Mistakes that are told at once."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on one place. `place` None: the whole file; `setting` is the path of a key, or empty."""

    file: str
    message: str
    place: TextPosition | None = None
    setting: str = ""
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """`app.yaml:3:5: warning: github.token: …`, as compilers write it; an error is not called one."""
        at = f":{self.place.line}:{self.place.column}" if self.place else ""
        words = ["warning"] if self.level == "warning" else []
        return ": ".join([f"{self.file}{at}", *words, *filter(None, (self.setting,)), self.message])


class Invalid(ConfigError):
    """The files cannot be used: `findings` has every mistake, and the text the first of them."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(dict.fromkeys(findings))
        file = self.findings[0].file
        rest = len(self.findings) - SHOWN
        more = [f"{file}: {rest} more mistakes"] if rest > 0 else []
        super().__init__("\n".join([*map(str, self.findings[:SHOWN]), *more]))


def unreadable(path: FilePath, problem: OSError) -> Invalid:
    """What is told of a file that cannot be read."""
    return Invalid([Finding(str(path), f"cannot be read: {problem.strerror or problem}")])


def findings_of(path: FilePath, mistakes: Iterable[Mistake]) -> list[Finding]:
    """The mistakes of the file at `path`, in the order of its lines."""
    return [Finding(str(path), each.what, each.place, each.path) for each in sorted(mistakes)]
