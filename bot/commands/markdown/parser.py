"""The Markdown parser: CommonMark with what GitHub adds and that can hide a line, within a bound on time.

What is not read here cannot hide a command: emphasis, entities and the like stay text. The parser's own loops
are quadratic and worse for some texts, so every rule first looks at the time that is left.
https://spec.commonmark.org/0.31.2/ and https://github.github.com/gfm/
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, paragraph
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from bot.errors import AskerError

SECONDS = 0.05
"""Processor time that the reading of one comment may take, whatever stands in it."""

PARAGRAPH = 16_384
"""Characters of one paragraph that holds a command or HTML."""

FOOTNOTE = re.compile(r"\[\^[^\]\s\0]+\]:")
"""How the definition of a footnote begins; a browser shows it at the end, or nowhere."""

ODD = "\u00a0\u00ad\u1680\u180e\u2000-\u200f\u202a-\u202f\u205f-\u2064\u2066-\u2069\u3000\ufe0e\ufe0f\ufeff"
"""Spaces that are no plain ones, and characters without a shape, for a class of a regular expression."""

_NESTING = 50
"""Levels of lists and quotes; what is deeper is not read, nor what follows it in the same list."""

_INLINE = ("text", "newline", "escape", "backticks", "link", "image", "autolink", "html_inline")
_SPANNING = ("newline", "escape", "backticks", "html_inline")

_Inline = Callable[[StateInline, bool], bool]
_Block = Callable[[StateBlock, int, int, bool], bool]


class TooCostly(AskerError):
    """The comment takes too long to read, so nothing in it counts."""

    def __init__(self) -> None:
        super().__init__(
            "This comment is too long or too intricate to be read, so nothing in it was started."
            " Please write the command in a comment of its own."
        )


class Budget:
    """Processor time of this thread that is left for one comment."""

    def __init__(self) -> None:
        self._end = time.thread_time() + SECONDS

    def check(self) -> None:
        """`TooCostly` once nothing is left."""
        if time.thread_time() > self._end:
            raise TooCostly


def read_blocks(source: str, first_word: str) -> tuple[list[Token], Callable[[str], list[Token]]]:
    """The blocks of `source`, and what reads the text of one; `TooCostly` where either takes too long.

    Among the tokens of a text are `command` (with `exact` in its `meta`: whether it is `first_word` to the
    letter), `tilde` and `dollar`. They, code, HTML and line ends say in `meta` where they stood: `span`.
    """
    parser = _parser(first_word)
    env: dict[str, object] = {"budget": Budget()}
    tokens = parser.parse(source, env)

    def inline(text: str) -> list[Token]:
        if len(text) > PARAGRAPH:
            raise TooCostly
        return parser.inline.parse(text, parser, env, [])

    return tokens, inline


@lru_cache(maxsize=4)
def _parser(first_word: str) -> MarkdownIt:
    """Blocks only; inline text is parsed where it can matter. Warm, because it is shared by threads."""
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": _NESTING}).enable(["table"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    blocks = parser.block.ruler
    behind = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    blocks.before("reference", "footnote", _footnote, behind)  # type: ignore[arg-type]
    for each in list(blocks.__rules__):
        blocks.at(each.name, _bounded_block(each.fn), {"alt": each.alt})
    rules = parser.inline.ruler
    rules.enableOnly(list(_INLINE))
    for rule in list(rules.__rules__):
        fn = _with_span(rule.fn) if rule.name in _SPANNING else rule.fn
        rules.at(rule.name, _bounded(fn))
    rules.before("text", "command", _command_rule(first_word))
    rules.before("text", "run", _run_rule)
    parser.inline.ruler2.enableOnly([])
    parser.render("warm `a` [b](c)")
    return parser


def _bounded_block(rule: _Block) -> _Block:
    """The same rule, within the time that is left."""

    def bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if (budget := state.env.get("budget")) is not None:
            budget.check()
        return rule(state, start, end, silent)

    return bounded


def _bounded(rule: _Inline) -> _Inline:
    """The same rule, within the time that is left."""

    def bounded(state: StateInline, silent: bool) -> bool:
        if (budget := state.env.get("budget")) is not None:
            budget.check()
        return rule(state, silent)

    return bounded


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The definition of a footnote: a paragraph, never the definition of a link."""
    if state.is_code_block(start):
        return False
    if not FOOTNOTE.match(state.src, state.bMarks[start] + state.tShift[start], state.eMarks[start]):
        return False
    return silent or paragraph(state, start, end, silent)


def _with_span(rule: _Inline) -> _Inline:
    """The same rule; the token that it makes says from where to where it came in the text."""

    def spanning(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        matched = rule(state, silent)
        if matched and len(state.tokens) > count:
            state.tokens[-1].meta = {"span": (start, state.pos)}
        return matched

    return spanning


def _command_rule(first_word: str) -> _Inline:
    """A rule that makes a token of `first_word`, or what nearly is, at most three spaces into a line."""
    opening = re.compile(rf"([ {ODD}]{{0,12}})({re.escape(first_word)})(?=[ \t\n{ODD}]|\Z)", re.IGNORECASE)

    def rule(state: StateInline, silent: bool) -> bool:
        if state.pos and state.src[state.pos - 1] not in " \n":
            return False
        match = opening.match(state.src, state.pos)
        if match is None:
            return False
        line = state.src.rfind("\n", 0, state.pos) + 1
        indent = state.src[line : match.start(2)]
        plain = not indent.strip(" ")
        if state.src[line : state.pos].strip(" ") or (plain and len(indent) > 3):
            return False
        if not silent:
            behind = state.src[match.end() : match.end() + 1].strip(" \t\n")
            exact = plain and match[2] == first_word and not behind
            token = state.push("command", "", 0)
            token.meta = {"span": (match.start(2), match.end()), "exact": exact}
        state.pos = match.end()
        return True

    return rule


def _run_rule(state: StateInline, silent: bool) -> bool:
    """Tokens of one or two `~` (struck text) and of `$` or `$$` (a formula), which say how they may pair.

    https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/writing-mathematical-expressions
    """
    marker = state.src[state.pos]
    if silent or marker not in "~$":
        return False
    scanned = state.scanDelims(state.pos, True)
    start, state.pos = state.pos, state.pos + scanned.length
    opens, closes = scanned.can_open, scanned.can_close
    if marker == "$":
        opens = scanned.length > 1 or not state.src[state.pos : state.pos + 1].isspace()
        closes = scanned.length > 1 or not (
            state.src[max(start - 1, 0) : start].isspace() or state.src[state.pos : state.pos + 1].isalnum()
        )
    if scanned.length > 2:
        opens = closes = False
    token = state.push("tilde" if marker == "~" else "dollar", "", 0)
    token.meta = {"span": (start, state.pos), "length": scanned.length, "opens": opens, "closes": closes}
    return True
