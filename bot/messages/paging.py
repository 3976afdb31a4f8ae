"""Long lists in pages, so that nothing is left out where a place takes only so much."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.messages.text import code

LINES = 50
"""Of one page."""
CHARACTERS = 7500
"""Of one page: Slack writes some of them as five, and takes 20,000 (`bot.messages.mrkdwn`)."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a list, and which page (from 1) of how many they are."""

    lines: Sequence[str]
    number: int
    pages: int

    def footer(self, total: str, following: str) -> list[str]:
        """What stands below the lines: how many there are in all, and the command for the next page."""
        if self.pages == 1:
            return []
        further = f", the next: {code(f'{following} {self.number + 1}')}" if self.number < self.pages else ""
        return ["", f"Page {self.number} of {self.pages}, {total}{further}."]


def page(lines: Sequence[str], number: int) -> Page:
    """Page `number` of `lines`; beyond the last page it is that."""
    starts, size = [0], 0
    for place, line in enumerate(lines):
        size += len(line) + 1
        if place > starts[-1] and (size > CHARACTERS or place - starts[-1] == LINES):
            starts.append(place)
            size = len(line) + 1
    number = min(max(number, 1), len(starts))
    end = starts[number] if number < len(starts) else len(lines)
    return Page(lines[starts[number - 1] : end], number, len(starts))
