"""A job's log becomes HTML: bytes in any chunks go in, escaped lines come out.

Colours and emphasis (SGR, ECMA-48 section 8.3.117, with 256 colours and true colour as xterm has
them), carriage return, backspace and erase-in-line work as in a terminal, so that a progress bar shows
its last state. Every other escape sequence and control character is dropped. However the bytes are
cut, the same HTML comes out; the memory held is bounded by one line.
"""

import codecs
import html
import re
from dataclasses import dataclass, replace

LONGEST_LINE = 4096
"""Characters of a line that are shown."""

LONGEST_ESCAPE = 2048
"""Characters after which an escape sequence that does not end is given up."""

_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+|\t)"
    r"|\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|(?P<string>\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\))"
    r"|(?P<control>[\n\r\x08])"
    r"|(?P<other>\x1b(?:[ -/]+[0-~]|[0-OQ-WYZ\\`-~]))"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]*\x1b?|[ -/]*)")

_GROUP = re.compile(r"(?:::|##\[)(end)?group(?:::|\])")
_GROUP_FIRST = frozenset((":", "#"))


@dataclass(frozen=True, slots=True)
class Style:
    """How characters look. A colour is None, a number of the 256, or `rrggbb`; flags are CSS classes."""

    ink: int | str | None = None
    paper: int | str | None = None
    flags: frozenset[str] = frozenset()

    def sgr(self) -> str:
        """The parameters that bring a plain terminal to this style: `1;38;5;196`."""
        parts = [str(_CODES[flag]) for flag in sorted(self.flags)]
        for base, colour in ((38, self.ink), (48, self.paper)):
            if isinstance(colour, int):
                parts.append(f"{base};5;{colour}")
            elif colour is not None:
                parts.append(f"{base};2;" + ";".join(str(int(colour[i : i + 2], 16)) for i in (0, 2, 4)))
        return ";".join(parts)


PLAIN = Style()
_CODES = {"bo": 1, "di": 2, "it": 3, "un": 4, "rv": 7, "st": 9}
_FLAGS = {code: flag for flag, code in _CODES.items()} | {21: "un"}
_ENDS = {22: {"bo", "di"}, 23: {"it"}, 24: {"un"}, 27: {"rv"}, 29: {"st"}}


class AnsiRenderer:
    """One log, rendered as it grows. `line` is the number of the line that is still open."""

    def __init__(self, *, line: int = 1, style: Style = PLAIN) -> None:
        self.line = line
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""  # the beginning of an escape sequence
        self._style = style
        self.line_style = style  # with which the open line began
        self._runs: list[tuple[str, Style]] = []  # the open line, while it was only added to
        self._cells: list[tuple[str, Style]] | None = None  # the same, one character each, once rewritten
        self._column = 0
        self._length = 0
        self._blank = 0  # so many cells at the beginning are known to be erased
        self._cut = False

    def feed(self, data: bytes) -> str:
        """The HTML of the lines that `data` completes."""
        return self._consume(self._decoder.decode(data))

    def open_line(self) -> str:
        """The HTML of the line that no newline has ended yet, or an empty string."""
        return self._line_html() if self._runs or self._cells or self._cut else ""

    def _consume(self, text: str) -> str:
        text = self._rest + text
        self._rest = ""
        done: list[str] = []
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                rest = _UNFINISHED.match(text, at)
                if rest and rest.end() == len(text) and len(text) - at <= LONGEST_ESCAPE:
                    self._rest = text[at:]
                    break
                at += 1  # a lone control character, or the ESC of what is no sequence
                continue
            if token.end() - at > LONGEST_ESCAPE and text[at] == "\x1b":
                at += 1  # as it would have been given up had it come in pieces
                continue
            at = token.end()
            if token["text"]:
                self._write(token["text"])
            elif token["final"]:
                self._escape(token["parameters"], token["final"])
            elif token["control"] == "\n":
                done.append(self._line_html())
                self._next_line()
            elif token["control"] == "\r":
                self._column = 0
            elif token["control"] == "\x08":
                self._column = max(0, self._column - 1)
        return "".join(done)

    def _write(self, text: str) -> None:
        room = LONGEST_LINE - self._column
        if len(text) > room:
            text = text[:room]
            self._cut = True
        if not text:
            return
        self._blank = min(self._blank, self._column)
        if self._column == self._length:
            if self._cells is not None:
                self._cells.extend((character, self._style) for character in text)
            else:
                self._runs.append((text, self._style))
            self._length += len(text)
        else:
            cells = self._as_cells()
            cells[self._column : self._column + len(text)] = [(one, self._style) for one in text]
            self._length = len(cells)
        self._column += len(text)

    def _as_cells(self) -> list[tuple[str, Style]]:
        if self._cells is None:
            self._cells = [(character, style) for run, style in self._runs for character in run]
            self._runs = []
        return self._cells

    def _escape(self, parameters: str, final: str) -> None:
        if final == "m":
            self._style = restyled(self._style, parameters)
        elif final == "K":
            self._erase(parameters)

    def _erase(self, what: str) -> None:
        cells = self._as_cells()
        if what in ("", "0", "2"):
            del cells[self._column :]
        if what in ("1", "2"):
            upto = min(self._column + 1, len(cells))
            if upto > self._blank:  # else it is done, however often a log asks for it
                cells[self._blank : upto] = [(" ", PLAIN)] * (upto - self._blank)
                self._blank = upto
        self._blank = min(self._blank, len(cells))
        self._length = len(cells)
        if self._length < LONGEST_LINE:
            self._cut = False

    def _next_line(self) -> None:
        self.line += 1
        self.line_style = self._style
        self._runs, self._cells = [], None
        self._column = self._length = self._blank = 0
        self._cut = False

    def _line_html(self) -> str:
        pieces: list[str] = []
        runs = _joined(self._cells if self._cells is not None else self._runs)
        for text, style in runs:
            escaped = html.escape(text, quote=False)
            pieces.append(escaped if style == PLAIN else f"<span{_attributes(style)}>{escaped}</span>")
        cut = "<b>… the rest of this line is in the full text</b>" if self._cut else ""
        kind = group_mark(runs[0][0]) if runs else ""
        return f'<div id="L{self.line}" data-n="{self.line}"{kind}>{"".join(pieces)}{cut}\n</div>'


def group_mark(text: str) -> str:
    """The class of a line that begins so, where GitHub Actions would begin or end a group there."""
    match = _GROUP.match(text) if text[:1] in _GROUP_FIRST else None
    return f' class="{"endgroup" if match[1] else "group"}"' if match else ""


def restyled(style: Style, parameters: str) -> Style:
    """`style` after `ESC [ parameters m`; what is not understood changes nothing."""
    codes = _numbers(parameters)
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code in (38, 48):
            colour, at = _extended(codes, at)
            if colour is not None:
                style = replace(style, ink=colour) if code == 38 else replace(style, paper=colour)
        else:
            style = _simple(style, code)
    return style


def _numbers(parameters: str) -> list[int]:
    """Parameters are separated by semicolons, or by colons within one (ITU T.416); empty means 0."""
    parts = parameters.replace(":", ";").split(";")
    if not all(part == "" or (part.isascii() and part.isdigit() and len(part) <= 4) for part in parts):
        return []
    if ":" in parameters:  # 38:2::r:g:b has an empty colour space, 4:3 a shape of the underline
        return _colon_numbers(parameters)
    return [int(part or 0) for part in parts]


def _colon_numbers(parameters: str) -> list[int]:
    codes: list[int] = []
    for group in parameters.split(";"):
        parts = group.split(":")
        if parts[0] in ("38", "48"):
            if parts[1:2] == ["2"] and len(parts) >= 6:
                del parts[2]
            codes += [int(part or 0) for part in parts[:5]]
        elif parts[0] == "4" and parts[1:2] == ["0"]:
            codes.append(24)
        else:
            codes.append(int(parts[0] or 0))
    return codes


def _extended(codes: list[int], at: int) -> tuple[int | str | None, int]:
    """The colour of `38;5;N` or `38;2;R;G;B` from behind the 38, and where to read on."""
    if codes[at : at + 1] == [5] and len(codes) > at + 1:
        return (codes[at + 1] if codes[at + 1] < 256 else None), at + 2
    if codes[at : at + 1] == [2] and len(codes) > at + 3:
        rgb = codes[at + 1 : at + 4]
        return ("".join(f"{part:02x}" for part in rgb) if max(rgb) < 256 else None), at + 4
    return None, len(codes)


def _simple(style: Style, code: int) -> Style:
    if code == 0:
        return PLAIN
    if code in _FLAGS:
        return replace(style, flags=style.flags | {_FLAGS[code]})
    if code in _ENDS:
        return replace(style, flags=style.flags - _ENDS[code])
    for start, first in ((30, 0), (90, 8)):
        if start <= code < start + 8:
            return replace(style, ink=code - start + first)
        if start + 10 <= code < start + 18:
            return replace(style, paper=code - start - 10 + first)
    if code == 39:
        return replace(style, ink=None)
    if code == 49:
        return replace(style, paper=None)
    return style


def _joined(runs: list[tuple[str, Style]]) -> list[tuple[str, Style]]:
    """Neighbours of one style in one piece, so that the HTML does not depend on how the bytes were cut."""
    joined: list[tuple[list[str], Style]] = []
    for text, style in runs:
        if joined and joined[-1][1] == style:
            joined[-1][0].append(text)
        else:
            joined.append(([text], style))
    return [("".join(texts), style) for texts, style in joined]


def _attributes(style: Style) -> str:
    """Classes, and the exact colour where it is not one of the 256 (the class is then the nearest)."""
    ink, paper = style.ink, style.paper
    classes = sorted(style.flags - {"rv"})
    if "rv" in style.flags:
        ink, paper = ("i" if paper is None else paper), ("i" if ink is None else ink)
    exact = ""
    for kind, colour in (("f", ink), ("b", paper)):
        if isinstance(colour, str) and colour != "i":
            classes.append(f"{kind}{nearest(colour)}")
            exact += f' data-{kind}="#{colour}"'
        elif colour is not None:
            classes.append(f"{kind}{colour}")
    return (f' class="{" ".join(classes)}"' if classes else "") + exact


_STEPS = (0, 95, 135, 175, 215, 255)


def nearest(colour: str) -> int:
    """The one of xterm's colours 16 to 255 that is nearest to `rrggbb`."""
    rgb = [int(colour[i : i + 2], 16) for i in (0, 2, 4)]
    steps = [_nearest_step(part) for part in rgb]
    grey = min(range(24), key=lambda step: abs(8 + 10 * step - sum(rgb) // 3))
    cube_distance = sum((_STEPS[step] - part) ** 2 for step, part in zip(steps, rgb, strict=True))
    grey_distance = sum((8 + 10 * grey - part) ** 2 for part in rgb)
    if grey_distance < cube_distance:
        return 232 + grey
    return 16 + 36 * steps[0] + 6 * steps[1] + steps[2]


def _nearest_step(part: int) -> int:
    return min(range(len(_STEPS)), key=lambda step: abs(_STEPS[step] - part))


def palette() -> str:
    """CSS for the colours 16 to 255, which have a formula; the first 16 are the style sheet's own choice."""
    rules: list[str] = []
    for number in range(16, 256):
        if number < 232:
            cube = number - 16
            rgb = (_STEPS[cube // 36], _STEPS[cube // 6 % 6], _STEPS[cube % 6])
        else:
            rgb = (8 + 10 * (number - 232),) * 3
        value = "#{:02x}{:02x}{:02x}".format(*rgb)
        rules.append(f".f{number}{{color:{value}}}.b{number}{{background:{value}}}")
    return "".join(rules)
