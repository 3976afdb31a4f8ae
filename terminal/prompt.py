"""Reads lines with a history where a person types them, and prints above what is being typed."""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

HISTORY = 1000
"""Lines that are kept."""
_PROMPT = "errand> "


class Prompt:
    """`asks`: whether there is somebody to ask; lines of a pipe are read without a word."""

    def __init__(self) -> None:
        self.asks = sys.stdin.isatty() and sys.stdout.isatty()
        self._reading = False
        self._lock = threading.Lock()
        self._interrupted: Callable[[], None] = lambda: None

    def open(self, names: Sequence[str], *, interrupted: Callable[[], None]) -> None:
        """Load the history; Tab completes `names`, and Ctrl-C calls `interrupted`."""
        self._interrupted = interrupted
        if not self.asks:
            return
        import readline

        def complete(text: str, state: int) -> str | None:
            matches = [name for name in names if name.startswith(text)]
            return f"{matches[state]} " if state < len(matches) else None

        readline.set_completer(complete)
        readline.set_completer_delims(" ")
        readline.parse_and_bind("tab: complete")
        readline.set_history_length(HISTORY)
        readline.set_pre_input_hook(self._begin)
        with suppress(OSError):
            readline.read_history_file(_history())

    def close(self) -> None:
        """Keep the history, for this user alone."""
        if not self.asks:
            return
        import readline

        path = _history()
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            readline.write_history_file(path)

    def line(self) -> str | None:
        """The next line; None at the end. Ctrl-C leaves a line, as in a shell."""
        if not self.asks:
            line = sys.stdin.readline()
            return line.rstrip("\n") if line else None
        while True:
            try:
                return input(_PROMPT)
            except KeyboardInterrupt:
                self._reading = False
                print()
                self._interrupted()
            except EOFError:
                with suppress(OSError):
                    print()
                return None
            finally:
                self._reading = False

    def tell(self, text: str) -> None:
        """Print `text` above the line that is being typed, which stays as it is."""
        with self._lock, suppress(OSError):  # nobody may be there any more to read it
            if not (self.asks and self._reading):
                print(text, flush=True)
                return
            import readline

            typed = readline.get_line_buffer()
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
            sys.stdout.write(above(text, typed, _point(typed), columns or 80))
            sys.stdout.flush()

    def _begin(self) -> None:
        """The prompt was shown, and what is typed stands behind it."""
        self._reading = True


def above(text: str, typed: str, point: int, columns: int) -> str:
    """What prints `text` above the prompt with `typed`, and puts the cursor behind `point` characters of it.

    The cursor stands there before, and what is typed may take several rows of `columns`.
    """
    from rich.cells import cell_len

    at, end = cell_len(_PROMPT + typed[:point]), cell_len(_PROMPT + typed)
    clear = f"{_up(at // columns)}\r\x1b[J"
    wrapped = (
        " \r" if end % columns == 0 else ""
    )  # the cursor is on the next row only once something is there
    back = f"{_up(end // columns - at // columns)}\r" + (f"\x1b[{at % columns}C" if at % columns else "")
    return f"{clear}{text}\n{_PROMPT}{typed}{wrapped}{back if point < len(typed) else ''}"


def _up(rows: int) -> str:
    return f"\x1b[{rows}A" if rows else ""


def _point(typed: str) -> int:
    """How many characters of what is typed the cursor is behind; only the C library knows."""
    import ctypes
    import readline

    try:
        library = ctypes.CDLL(getattr(readline, "__file__", None))
        point = ctypes.c_int.in_dll(library, "rl_point").value
    except (OSError, ValueError):  # another library: people mostly type at the end
        return len(typed)
    return len(typed.encode()[: max(0, point)].decode(errors="ignore"))


def _history() -> Path:
    """https://specifications.freedesktop.org/basedir-spec/latest/"""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "errand" / "chat_history"
