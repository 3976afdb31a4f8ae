"""Texts that somebody outside may send, to throw at what Errand sends to Slack."""

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
