"""The standard streams: whether they want colours, are closed, or cannot be written to any more."""

import os
import sys
from typing import TextIO


def coloured() -> bool:
    """Whether stdout is a terminal that wants colours: https://no-color.org"""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def opened() -> None:
    """Let those that were closed lead nowhere, so that no file or connection takes their place.

    A file that is opened takes the lowest number that is free, so these three come first and in order.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def abandoned(stream: TextIO) -> None:
    """Let it lead nowhere: what it still holds cannot be written, and would be tried again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
