"""What is wrong with a text that is no YAML, told where it can be mended.

A parser notices a quote or a bracket that nobody closes only where the text ends, or where a later one closes
it by accident. To be mended is the one that opens.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.tokens import ScalarToken, Token

_CLOSING = ("'<stream end>'", "'}'", "']'")
_QUOTED = ("while scanning a quoted scalar", "while scanning a double-quoted scalar")
_FLOW = {"while parsing a flow mapping": "{", "while parsing a flow sequence": "["}
_BLOCK = ("while parsing a block mapping", "while parsing a block collection")
_KEY = "while scanning a simple key"
_UNENDED = ("unexpected end of stream", "unexpected document separator")
_BRACES = " (within { } and [ ], put ${NAME} in quotes)"


@dataclass(frozen=True, slots=True)
class Fault:
    """The line and column, from 1, and a sentence."""

    line: int
    column: int
    what: str


def fault(text: str, error: MarkedYAMLError) -> Fault:
    """Where `text` is to be mended so that it does not raise `error`, and how."""
    context, problem = error.context or "", error.problem or error.context or "it cannot be read"
    opening, noticed = error.context_mark, error.problem_mark or error.context_mark
    if noticed is None:
        return Fault(1, 1, _sentence(problem))
    if opening is not None and context in _QUOTED and any(words in problem for words in _UNENDED):
        return _at(opening, f"the {text[opening.index]} that opens here is not closed")
    quoted = _quoted_before(text, noticed)
    if quoted is not None and quoted.start_mark.line != quoted.end_mark.line:
        return _at(quoted.start_mark, _ended_early(quoted))
    if opening is not None and context in _FLOW and _is_unclosed(opening, noticed, problem):
        what = f"the {_FLOW[context]} that opens here is not closed, or a comma is missing, before"
        return _at(opening, f"{what} {_where(noticed)}")
    if quoted is not None and (context not in _FLOW or quoted.end_mark.index == noticed.index):
        return _at(quoted.start_mark, _ended_early(quoted))
    if opening is not None and context == _KEY:
        return _at(opening, "expected a : after this key")
    if opening is not None and context in _BLOCK and opening.line != noticed.line:
        return _at(noticed, f"{_sentence(problem)}; its block begins in {_where(opening)}")
    if "another document" in problem:
        return _at(noticed, "expected one document, but --- begins another")
    return _at(noticed, _sentence(problem))


def _at(mark: StreamMark, what: str) -> Fault:
    return Fault(mark.line + 1, mark.column + 1, what)


def _where(mark: StreamMark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _sentence(problem: str) -> str:
    if "'\\t'" in problem:
        return "a tab; YAML is indented with spaces"
    return " ".join(problem.split()) + (_BRACES if "'{'" in problem else "")


def _is_unclosed(opening: StreamMark, noticed: StreamMark, problem: str) -> bool:
    """Whether the bracket runs on into other lines, or to the end, or to a bracket of the other kind."""
    return opening.line != noticed.line or problem.endswith(_CLOSING)


def _quoted_before(text: str, noticed: StreamMark) -> ScalarToken | None:
    """The text in quotes that ends right before the place where something was noticed."""
    quoted: ScalarToken | None = None
    for token in _tokens(text):
        if token.start_mark.index >= noticed.index:
            break
        if isinstance(token, ScalarToken) and token.style in ("'", '"'):
            quoted = token
    if quoted is None or text[quoted.end_mark.index : noticed.index].strip(" "):
        return None
    return quoted


def _tokens(text: str) -> Iterator[Token]:
    """The tokens as far as they can be read."""
    with suppress(YAMLError):
        yield from YAML(typ="safe", pure=True).scan(text)


def _ended_early(quoted: ScalarToken) -> str:
    """What is told of a text in quotes with something behind it."""
    end, quote = quoted.end_mark, quoted.style
    if end.line != quoted.start_mark.line:
        where = f"line {end.line + 1}, column {end.column}"
        return f"the {quote} that opens here is closed only by the next one, in {where}"
    inside = "''" if quote == "'" else '\\"'
    return f"the {quote} that opens here is closed in column {end.column}; within the text write {inside}"
