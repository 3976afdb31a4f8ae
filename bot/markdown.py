"""Finds the commands in a comment: what stands at the start of a visible line of ordinary text.

A real Markdown parser (CommonMark with GitHub's tables and strikethrough) says what is code, a quote,
a list or HTML; nothing in those counts. What is found is what is run: parts of a command line that
are themselves code or HTML come back as `MASK`, which no command may contain, so that a reader of
the rendered comment and the parser of the command never see two different texts.
https://spec.commonmark.org/0.31.2/ and https://github.github.com/gfm/
"""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

MASK = "\ufffc"
"""Stands for a piece of a command line that is inline code or an HTML tag."""

_FOLDED = frozenset(
    {"audio", "blockquote", "button", "canvas", "code", "del", "details", "dialog", "kbd", "math"}
    | {"noscript", "object", "pre", "q", "s", "samp", "select", "strike", "summary", "svg", "table"}
    | {"template", "tt", "var", "video"}
)
"""HTML elements whose content is folded away, quoted, code or struck out."""

_FORMATTING = frozenset({"code", "s", "strike", "tt"})
"""Those of them that a browser opens again after something around them has ended.

https://html.spec.whatwg.org/multipage/parsing.html#reconstruct-the-active-formatting-elements
"""

_MAX_NESTING = 50
"""Levels of lists and quotes; what is deeper is not read, nor what follows it in the same list."""

_Rule = Callable[[StateInline, bool], bool]


def may_hold_command(text: str, first_word: str = "/job") -> bool:
    """Whether a line begins like a command, whatever it stands in; linear, for before rights are known."""
    return re.search(rf"(?:^|[\r\n]) {{0,3}}{re.escape(first_word)}(?![^ \t\r\n])", text) is not None


def commands_in(text: str, first_word: str = "/job") -> list[str]:
    """The lines of a comment that are commands, in order, each beginning with `first_word`.

    The time grows with the square of the text where brackets are left open: bound its length before.
    """
    if not may_hold_command(text, first_word):
        return []
    parser = _parser(first_word)
    env: dict[str, object] = {}
    hidden = _Html()
    found: list[str] = []
    previous: Token | None = None
    for token in parser.parse(text, env):
        if token.type == "html_block":
            hidden.read(token.content)
        elif token.type == "inline" and previous is not None:
            ordinary = _is_text(previous)
            children: list[Token] = []
            if ordinary or "<" in token.content:
                parser.inline.parse(token.content, parser, env, children)
            commands = list(_commands(token.content, children, hidden))
            found.extend(commands if ordinary else [])
        elif token.type not in ("paragraph_open", "paragraph_close", "inline"):
            hidden.container(token.nesting)
        previous = token
    return found


def plain(text: str) -> str:
    """What somebody typed in Slack: its links and mentions as text, `&amp;` `&lt;` `&gt;` undone once.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return re.sub(r"<([^<>]*)>|&(?:amp|lt|gt);", _unslack, text)


def _unslack(match: re.Match[str]) -> str:
    inner = match[1]
    if inner is None:
        return html.unescape(match[0])
    target, _, label = inner.partition("|")
    sigil = {"@": "@", "#": "#", "!": "@"}.get(target[:1], "")
    shown = label or (target[1:] if sigil else target)
    if sigil and not shown.startswith(sigil):
        shown = sigil + shown
    return html.unescape(shown)


def _is_text(opening: Token) -> bool:
    """A paragraph that is in nothing else, or one underlined with `---` (which makes it a heading)."""
    heading = opening.type == "heading_open" and opening.markup in ("-", "=")
    return opening.level == 0 and (opening.type == "paragraph_open" or heading)


def _parser(first_word: str) -> MarkdownIt:
    """Blocks only; inline text is parsed where it can matter, with the place of what matters noted."""
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": _MAX_NESTING}).enable(
        ["table", "strikethrough"]
    )
    parser.core.ruler.enableOnly(["normalize", "block"])
    rules = parser.inline.ruler
    known: Sequence[tuple[str, _Rule]] = [(rule.name, rule.fn) for rule in rules.__rules__]
    for name, rule in known:
        if name in ("newline", "escape", "backticks", "html_inline"):
            rules.at(name, _with_span(rule))
    rules.before("text", "command", _command_rule(first_word))
    return parser


def _with_span(rule: _Rule) -> _Rule:
    """The same rule; the token that it makes says from where to where it came in the text."""

    def spanning(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        matched = rule(state, silent)
        if matched and len(state.tokens) > count:
            state.tokens[-1].meta = {"span": (start, state.pos)}
        return matched

    return spanning


def _command_rule(first_word: str) -> _Rule:
    """A rule that makes a token of `first_word` at the start of a line, at most three spaces in."""

    def rule(state: StateInline, silent: bool) -> bool:
        start, end = state.pos, state.pos + len(first_word)
        if end > state.posMax or not state.src.startswith(first_word, start):
            return False
        line = state.src.rfind("\n", 0, start) + 1
        indent = state.src[line:start]
        if indent.strip(" ") or len(indent) > 3 or state.src[end : end + 1].strip(" \t\n"):
            return False
        if not silent:
            state.push("command", "", 0).meta = {"span": (start, end)}
        state.pos = end
        return True

    return rule


def _commands(source: str, children: Sequence[Token], hidden: "_Html") -> Iterator[str]:
    """The commands of one paragraph, each to the end of its line, masked."""
    level = 0
    starts: list[int] = []
    for index, token in enumerate(children):
        if token.type in ("link_open", "s_open", "link_close", "s_close"):
            level += token.nesting
        elif token.type == "html_inline":
            hidden.read(token.content)
        elif token.type == "command" and level == 0 and not hidden:
            starts.append(index)
    for start, end in pairwise([*starts, len(children)]):
        yield _masked_line(source, children[start:end])


def _masked_line(source: str, tokens: Sequence[Token]) -> str:
    """The text from the command that begins `tokens` to the break that ends its line."""
    pieces: list[tuple[int, int, str]] = []
    position, line_end = tokens[0].meta["span"][0], len(source)
    for token in tokens[1:]:
        if token.type in ("softbreak", "hardbreak"):
            line_end = token.meta["span"][0]
            break
        if token.type in ("code_inline", "html_inline"):
            comment = token.content.startswith("<!--")
            pieces.append((*token.meta["span"], " " if comment else MASK))
    visible = [(position, position, ""), *pieces, (line_end, line_end, "")]
    return "".join(one[2] + source[one[1] : two[0]] for one, two in pairwise(visible)).rstrip()


@dataclass
class _Html:
    """Which HTML elements are open as a browser sees it; true while they hide what follows.

    CommonMark ends most HTML blocks at a blank line, but the element in it stays open until its end
    tag (or until the list or quote around it ends). What is never finished hides all that follows.
    """

    unfinished: bool = False
    elements: list[str] = field(default_factory=list)
    containers: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.unfinished or bool(self.elements)

    def container(self, nesting: int) -> None:
        """A list, quote or table begins (1) or ends (-1), and with it the elements opened inside.

        A quote stays: the end tag of the quote around it ends it and leaves the outer one open.
        """
        if nesting == 1:
            self.containers.append(len(self.elements))
        elif nesting == -1 and self.containers:
            self._close(self.containers.pop(), _FORMATTING | {"blockquote"})

    def read(self, source: str) -> None:
        """Take in raw HTML that stands in the comment.

        Versions of CommonMark differ on what is a declaration (`<!X <details>`), so within one tags
        open elements and close none.
        """
        position, limit = 0, -1
        while not self.unfinished and (position := source.find("<", position)) >= 0:
            if source.startswith("<!--", position):
                end = source.find("-->", position + 2)
            elif source[position + 1 : position + 2] in ("!", "?"):
                end, limit = position, source.find(">", position)
                self.unfinished = limit < 0
            elif source[position + 1 : position + 3].lstrip("/")[:1].isalpha():
                end = self._tag(source, position + 1, closes=position > limit)
            else:
                end = position
            self.unfinished = self.unfinished or end < 0
            position = end + 1

    def _tag(self, source: str, start: int, *, closes: bool) -> int:
        """Take in one tag; where it ends (its `>`), or -1."""
        closing = source[start] == "/"
        name_start = position = start + closing
        while position < len(source) and source[position] not in "\t\n\f\r />":
            position += 1
        name = source[name_start:position].lower()
        while position < len(source) and source[position] != ">":
            if source[position] in "\"'":
                position = source.find(source[position], position + 1)
                if position < 0:
                    return -1
            position += 1
        if position >= len(source):
            return -1
        if not closing and name in _FOLDED:
            self.elements.append(name)
        elif closing and closes:
            self._end(name)
        return position

    def _end(self, name: str) -> None:
        """An end tag: formatting ends alone, anything else with what was opened inside of it."""
        floor = self.containers[-1] if self.containers else 0
        for index in range(len(self.elements) - 1, floor - 1, -1):
            if self.elements[index] == name:
                del self.elements[index]
                if name not in _FORMATTING:
                    self._close(index, _FORMATTING)
                return

    def _close(self, start: int, lasting: frozenset[str]) -> None:
        """Close the elements from `start` on but those that last."""
        self.elements[start:] = [name for name in self.elements[start:] if name in lasting]
