"""How an answer says back what somebody typed, and which name was probably meant.

An answer is posted to GitHub as Markdown and to Slack as text, so whatever is said back goes through
`quoted`, whose result neither of them takes for markup.
"""

import difflib
import unicodedata
from collections.abc import Iterable

_QUOTED_LENGTH = 80
"""Characters of a quotation; what is longer ends in an ellipsis."""

_LOOKALIKES = str.maketrans({"`": "\u02cb", "<": "\u2039", ">": "\u203a", "|": "\u00a6", "\t": " "})
"""What could end inline code or be markup within it, and what is shown instead.

Slack reads `<!channel>` even within inline code, and a bar ends the cell of a Markdown table.
"""


def quoted(text: str) -> str:
    """`text` as one piece of inline code that nothing in `text` can end, mention or link with."""
    cut = text if len(text) <= _QUOTED_LENGTH else text[: _QUOTED_LENGTH - 1] + "…"
    shown = visible(cut.translate(_LOOKALIKES))
    return f"`{shown}`" if shown.strip() else f"`'{shown}'`"


def visible(text: str) -> str:
    """`text` in one line, in which everything is seen."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    """Controls, line ends and characters without a shape are shown by number."""
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return f"U+{ord(character):04X}"
    return character


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The known name most like `word`, or None where nothing is near."""
    names = {name.casefold(): name for name in candidates}
    close = difflib.get_close_matches(word[:_QUOTED_LENGTH].casefold(), names, n=1, cutoff=0.6)
    return names[close[0]] if close else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """` Did you mean `NAME`?` with its leading space, or nothing where nothing is near."""
    name = nearest(word, candidates)
    return f" Did you mean {quoted(name)}?" if name else ""


def listed(names: Iterable[str], limit: int = 20) -> str:
    """Names as inline code, in order, with commas; beyond `limit` only how many more there are."""
    every = list(names)
    shown = ", ".join(quoted(name) for name in every[:limit])
    more = len(every) - limit
    return f"{shown} and {more} more" if more > 0 else shown
