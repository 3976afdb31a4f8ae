"""Errand's Markdown answers in a terminal: drawn by rich there, plain text in a pipe."""

import re
import sys

from terminal.failures import plain
from terminal.streams import coloured

_ZERO_WIDTH = "\u200b"
"""What keeps numbers and names from becoming links on GitHub; here nothing links."""
_FENCE = re.compile(r"^`{3,}\w*$")
_LINK = re.compile(r"\[([^\]\n]*)\]\((\S+?)\)")
_POINTERS = ("Log", "The whole log")
"""Links whose words say nothing without their address."""
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_CODE = re.compile(r"(`+) ?(.+?) ?\1(?!`)")


def spoken(markdown: str, *, links: bool = True) -> str:
    """The words without their markup; `links`: with the addresses that they lead to."""
    if not links:
        markdown = _LINK.sub(lambda match: "" if match[1] in _POINTERS else match[1], markdown).strip()
    lines, fenced = [], False
    for line in markdown.replace(_ZERO_WIDTH, "").split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        else:
            lines.append(f"    {line}" if fenced else _inline(line))
    return "\n".join(plain(line) for line in lines)


def _inline(line: str) -> str:
    """A line without code marks, links and escapes; what stands in code is taken as it is."""
    pieces, position = [], 0
    for match in _CODE.finditer(line):
        pieces += [_unmarked(line[position : match.start()]), match[2]]
        position = match.end()
    return "".join([*pieces, _unmarked(line[position:])])


def _unmarked(text: str) -> str:
    text = _LINK.sub(lambda match: f"{match[1]} ({match[2]})", text)
    return _ESCAPED.sub(r"\1", text.replace("**", ""))


def tell(markdown: str) -> None:
    """Print an answer."""
    if not sys.stdout.isatty():
        print(spoken(markdown), flush=True)
        return
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    clean = "\n".join(plain(line) for line in markdown.replace(_ZERO_WIDTH, "").split("\n"))
    console = Console(no_color=not coloured(), highlight=False, theme=Theme({"markdown.code": "cyan"}))
    console.print(Markdown(clean, hyperlinks=False))
