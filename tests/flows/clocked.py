"""The service by a clock that a test sets: the machine's time and as many seconds as the file `CLOCK` holds.

`Clock` is the hand of the test; run as a program, it is `errand serve`.
"""

import argparse
import os
import sys
import time
from pathlib import Path


class Clock:
    """Gives epoch seconds; goes on from wherever it is set to."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> float:
        """Now."""
        return time.time() + float(self._file.read_text())

    def set(self, moment: float) -> None:
        """It is `moment` now, for whoever has this file."""
        new = self._file.with_suffix(".new")
        new.write_text(str(moment - time.time()))
        new.replace(self._file)


def main() -> None:
    """Serve, with the options that `demo.installation` gives."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import uvloop

    import service
    from bot.config import load

    options = argparse.ArgumentParser()
    options.add_argument("command", choices=["serve"])
    options.add_argument("--port", type=int)
    options.add_argument("--config", type=Path)
    given = options.parse_args()
    clock = Clock(Path(os.environ["CLOCK"]))
    uvloop.run(service.serve(load(given.config, os.environ), given.config, "127.0.0.1", given.port, clock))


if __name__ == "__main__":
    main()
