"""Texts that somebody outside may send, to throw at what Errand sends to Slack."""

from typing import Any

from hypothesis import strategies as st

PIECES = (
    "<!channel>",
    "<!here|x>",
    "<@U012AB3CD>",
    "<#C012AB3CD>",
    "<!subteam^S012AB3CD>",
    "<http://evil.example|click>",
    "<!date^0^{date}|x>",
    "```",
    "`",
    "*_~",
    "&lt;",
    "\u202eabc",
    "\u2066",
    "\u200b",
    "👩‍👩‍👧‍👦",
    "🏳️‍🌈",
    "\x00",
    "\x1b[31m",
    "\ud800",
    "\udfff",
    "\r\n",
    "\t",
    "\u2028",
    ":tada:",
    "&",
    "<",
    ">",
    "|",
    "é",
)
MARKUP = ("<!", "<@", "<#", "<http://evil")
"""What must never stand in a text with markup but as Errand wrote it."""

_short = st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=8).map("".join)
_long = st.builds(
    lambda piece, length: (piece * length)[:length],
    st.sampled_from(PIECES),
    st.sampled_from((100, 3000, 100_000)),
)
texts = st.one_of(st.just(""), _short, _long)


def marked(view: dict[str, Any]) -> str:
    """All texts of a view in which Slack reads markup; in plain ones it reads none."""
    found: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if node.get("type") == "mrkdwn":
                found.append(str(node["text"]))
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    walk(view)
    return " ".join(found)
