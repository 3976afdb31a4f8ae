"""Runs a command of a build whose output is the build's own. Imports next to nothing: builders carry it."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

_LINES, _LINE = 40, 2000
"""Last lines that are given back, and characters of each."""


def echoed(words: Sequence[str], env: Mapping[str, str] | None = None) -> tuple[int, list[str]]:
    """Run `words` and repeat what they say as it comes; gives the exit code and the last lines."""
    last: list[str] = []
    with subprocess.Popen(
        words,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as command:
        for line in command.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            last = [*last[-_LINES + 1 :], line[:_LINE]]
    return command.returncode, last
