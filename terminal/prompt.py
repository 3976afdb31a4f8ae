"""Reads lines with a history where a person types them, and prints above what is being typed."""

import os
import sys
import threading
from collections.abc import Sequence
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

    def open(self, names: Sequence[str]) -> None:
        """Load the history; Tab completes `names`."""
        if not self.asks:
            return
        import readline

        def complete(text: str, state: int) -> str | None:
            found = [name for name in names if name.startswith(text)]
            return f"{found[state]} " if state < len(found) else None

        readline.set_completer(complete)
        readline.set_completer_delims(" ")
        readline.parse_and_bind("tab: complete")
        readline.set_history_length(HISTORY)
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
                self._reading = True
                return input(_PROMPT)
            except KeyboardInterrupt:
                print()
            except EOFError:
                with suppress(OSError):
                    print()
                return None
            finally:
                self._reading = False

    def tell(self, text: str) -> None:
        """Print `text` above the line that is being typed."""
        with self._lock, suppress(OSError):  # nobody may be there any more to read it
            if not (self.asks and self._reading):
                print(text, flush=True)
                return
            import readline

            sys.stdout.write(f"\r\x1b[K{text}\n{_PROMPT}{readline.get_line_buffer()}")
            sys.stdout.flush()


def _history() -> Path:
    """https://specifications.freedesktop.org/basedir-spec/latest/"""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "errand" / "chat_history"
