"""Lines that were drawn over, as a terminal and a page leave them: carriage return, backspace, erase in line.

Pure, and linear however often a line is drawn.
"""

from executor.logs.controls import CONTROL, GAP

_ERASING = (b"\x08", b"\x1b[1K", b"\x1b[2K")


def is_drawn_over(text: bytes) -> bool:
    """Whether a line of it may be seen otherwise than it was written, its colours left out."""
    if any(sign in text for sign in _ERASING):
        return True
    return b"\r" in text and text.count(b"\r") != text.count(b"\r\n")


def last_drawings(block: bytes) -> bytes:
    """The same lines, those that were drawn over as they are seen; the others as they are."""
    lines = block.split(b"\n")
    return b"\n".join(last_drawing(line)[0] if is_drawn_over(line) else line for line in lines)


def last_drawing(line: bytes) -> tuple[bytes, int]:
    """What is seen of a line without its line feed, and how many characters stand before the cursor."""
    cells: list[str] = []
    column = blank = at = 0
    text = line.decode(errors="replace")
    for found in (*CONTROL.finditer(text), None):
        plain = text[at : found.start() if found else None]
        if plain:
            blank = min(blank, column)
            cells[column : column + len(plain)] = plain
            column += len(plain)
        if found is None:
            break
        at = found.end()
        control = found[0]
        if control == "\r":
            column = 0
        elif control == "\x08":
            column = max(0, column - 1)
        elif control[-1] == "K" and control[:2] == "\x1b[":
            blank = _erase(cells, column, control[2:-1], blank)
    return GAP.sub(b"", "".join(cells).encode()), column


def _erase(cells: list[str], column: int, what: str, blank: int) -> int:
    """Erase to the end, to the cursor, or all; gives how many cells at the beginning are blank for sure."""
    if what in ("", "0", "2"):
        del cells[column:]
    if what in ("1", "2"):
        upto = min(column + 1, len(cells))
        if upto > blank:  # else it is done, however often a log asks for it
            cells[blank:upto] = " " * (upto - blank)
            blank = upto
    return min(blank, len(cells))
