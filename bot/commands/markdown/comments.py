"""Finds the commands in a comment: what stands at the start of a visible line of ordinary text.

A real Markdown parser says what is code, a quote, a list, a footnote or HTML; nothing in those counts. What
is found is what is run: parts of a command line that are themselves code or HTML come back as `MASK`, which
no command may contain, so that a reader of the rendered comment and the parser of the command never see two
different texts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from markdown_it.token import Token

from bot.commands.markdown.elements import Elements
from bot.commands.markdown.mails import FOOTER, beginning_of_mail
from bot.commands.markdown.parser import FOOTNOTE, ODD, TooCostly, read_blocks
from bot.text.wording import quoted

MASK = "\ufffc"
"""Stands for a piece of a command line that is inline code or an HTML tag."""

CHARACTERS = 65_536
"""Of one comment, which is what GitHub takes; a longer one is not read."""

SHORT = 1024
"""Characters of a comment that is answered although its author may do nothing here."""

_LOOKS = 500
"""Places of the first word that are looked at before a comment is parsed."""

_UNSEEN = re.compile(f"[{ODD}]+")
_FENCED = re.compile(r"(?ms)^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)")
GOES_ON = re.compile(r" {0,3}(?:[A-Za-z_][A-Za-z0-9_]{0,99}=|--[a-z])", re.ASCII)
"""How a line begins that only makes sense behind the line before: a parameter, or an option."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that begins as a command does. `problem` says why it is none after all (Markdown)."""

    text: str
    problem: str | None = None


def may_hold_command(text: str, first_word: str = "/job") -> bool:
    """Whether some line begins roughly as a command does: cheap, and never wrong with a no."""
    text, word = text.lower(), first_word.lower()
    place = -1
    for _ in range(_LOOKS):
        place = text.find(word, place + 1)
        if place < 0:
            return False
        line = max(text.rfind(end, max(place - 16, 0), place) for end in "\n\r")
        indent, behind = text[line + 1 : place], text[place + len(word) : place + len(word) + 1]
        starts = (line >= 0 or place <= 15) and not _UNSEEN.sub("", indent).strip(" ")
        if starts and (len(indent) <= 3 or indent.strip(" ")) and not _UNSEEN.sub("", behind).strip():
            return True
    return True


def is_short_command(text: str, first_word: str = "/job") -> bool:
    """Whether this is a short comment with what looks like a command, outside of fenced code; cheap."""
    return len(text) <= SHORT and may_hold_command(_FENCED.sub("", text), first_word)


def jobs_named(text: str, first_word: str = "/job") -> list[str]:
    """The jobs that the first lines of a comment seem to start, for the record of a refusal; cheap."""
    word = re.escape(first_word)
    start = re.compile(rf"(?m)^ {{0,3}}{word} {{1,9}}(?:re)?run {{1,9}}([A-Za-z0-9._-]{{1,100}})(?=\s|\Z)")
    return list(dict.fromkeys(match[1] for match in islice(start.finditer(text[:4096]), 10)))


def commands_in(text: str, first_word: str = "/job") -> list[str]:
    """The lines of a comment that are commands, in order, each beginning with `first_word`."""
    return [line.text for line in read(text, first_word) if line.problem is None]


def read(text: str, first_word: str = "/job") -> list[Line]:
    """The lines of a comment that are commands or nearly so, in order; `TooCostly` where that cannot be told.

    What stands below the header of a mail that is answered was written by somebody else, and is not read.
    """
    if not may_hold_command(text, first_word):
        return []
    if len(text) > CHARACTERS:
        raise TooCostly
    try:
        return _read(_ending_with_commands(text, first_word), first_word)
    except RecursionError:
        raise TooCostly from None


def _ending_with_commands(text: str, first_word: str) -> str:
    """The comment up to the paragraph that the first word is last in: what follows can change nothing."""
    source = text.replace("\r\n", "\n").replace("\r", "\n")
    last = source.lower().rfind(first_word.lower())
    end = re.compile(r"\n[ \t]*\n").search(source, max(last, 0))
    if end is None or FOOTER.search(source, end.start()):
        return source
    return source[: end.start()]


def _read(source: str, first_word: str) -> list[Line]:
    tokens, inline = read_blocks(source, first_word)
    written = source.split("\n")
    mail = beginning_of_mail(written)
    hidden = Elements()
    commands: list[Line] = []
    previous: Token | None = None
    for token in tokens:
        if token.type == "html_block":
            hidden.read(token.content)
        elif token.type == "inline" and previous is not None:
            ordinary = _is_text(previous) and not FOOTNOTE.match(token.content)
            content, ends = _above(token, written, mail) if ordinary else (token.content, False)
            if "<" in content or (ordinary and may_hold_command(content, first_word)):
                children = inline(content)
                lines = list(_lines(content, children, hidden, first_word))
                commands.extend(lines if ordinary else [])
            if ends:
                return commands
            if ordinary and not hidden and FOOTER.search(content):
                return [Line(line.text, _unclear_mail()) for line in commands]
        elif token.type not in ("paragraph_open", "paragraph_close", "inline"):
            hidden.container(token.nesting)
        previous = token
    return commands


def _above(token: Token, written: Sequence[str], mail: Sequence[int]) -> tuple[str, bool]:
    """The text of a paragraph above the header of a mail in it, and whether there is one.

    The parser takes odd spaces away at the beginning as if they were plain ones; here they are still there.
    """
    start, end = token.map or [0, 0]
    first = written[start] if start < len(written) else ""
    content = first[: len(first) - len(first.lstrip())].strip(" \t") + token.content
    line = next((line for line in mail if start <= line < end), None)
    if line is None:
        return content, False
    return "\n".join(content.split("\n")[: line - start]), True


def _unclear_mail() -> str:
    return (
        "This looks like an answer by e-mail with the mail that it answers below, and I cannot tell where"
        " that begins. Nothing was started; please write the command on GitHub's page, or delete that mail."
    )


def _is_text(opening: Token) -> bool:
    """A paragraph that is in nothing else, or one underlined with `---` (which makes it a heading)."""
    heading = opening.type == "heading_open" and opening.markup in ("-", "=")
    return opening.level == 0 and (opening.type == "paragraph_open" or heading)


def _lines(source: str, children: Sequence[Token], hidden: Elements, first_word: str) -> Iterator[Line]:
    """The commands of one paragraph, each to the end of its line, masked."""
    level = 0
    starts: list[int] = []
    covered = _covered(children)
    for index, token in enumerate(children):
        if token.type in ("link_open", "link_close"):
            level += token.nesting
        elif token.type == "html_inline":
            hidden.read(token.content)
        elif token.type == "command" and level == 0 and not hidden and index not in covered:
            starts.append(index)
    for start, end in pairwise([*starts, len(children)]):
        yield _line(source, children[start:end], first_word)


def _covered(children: Sequence[Token]) -> set[int]:
    """The places of the tokens that are struck out, or within a formula."""
    pairs: list[tuple[int, int]] = []
    struck: dict[int, int] = {}
    formula: tuple[int, int] | None = None
    for index, token in enumerate(children):
        if token.type == "tilde":
            length = token.meta["length"]
            if token.meta["closes"] and length in struck:
                pairs.append((struck.pop(length), index))
            elif token.meta["opens"]:
                struck.setdefault(length, index)
        elif token.type == "dollar":
            length = token.meta["length"]
            if formula is not None and formula[1] == length and token.meta["closes"]:
                pairs.append((formula[0], index))
                formula = None
            elif formula is None and token.meta["opens"]:
                formula = index, length
    places: set[int] = set()
    end = -1
    for first, last in sorted(pairs):  # each place once, also where pairs overlap
        places.update(range(max(first, end + 1), last))
        end = max(end, last)
    return places


def _line(source: str, tokens: Sequence[Token], first_word: str) -> Line:
    """The text from the command that begins `tokens` to the break that ends its line, and what is odd."""
    pieces: list[tuple[int, int, str]] = []
    position, line_end, next_line = tokens[0].meta["span"][0], len(source), len(source)
    for token in tokens[1:]:
        if token.type in ("softbreak", "hardbreak"):
            line_end, next_line = token.meta["span"]
            break
        if token.type in ("code_inline", "html_inline"):
            comment = token.content.startswith("<!--")
            pieces.append((*token.meta["span"], " " if comment else MASK))
    visible = [(position, position, ""), *pieces, (line_end, line_end, "")]
    text = "".join(one[2] + source[one[1] : two[0]] for one, two in pairwise(visible)).rstrip()
    if not tokens[0].meta["exact"]:
        return Line(text, _nearly(text, first_word))
    if GOES_ON.match(source, next_line):
        return Line(text, _wrapped(source[next_line:].split("\n", 1)[0], first_word))
    return Line(text)


def _nearly(text: str, first_word: str) -> str:
    rest = " ".join(_UNSEEN.sub(" ", text[len(first_word) :]).split())
    return (
        f"Almost a command, so nothing was started: one begins with {quoted(first_word)} in just these"
        f" letters, with nothing invisible around it. Please type {quoted(f'{first_word} {rest}'.rstrip())}."
    )


def _wrapped(following: str, first_word: str) -> str:
    return (
        f"This command was not started: the line below it, {quoted(following.strip())}, looks like a part of"
        f" it. A mail program may have broken the line. Please write all of a {quoted(first_word)} in one"
        " line, or leave an empty line below it."
    )
