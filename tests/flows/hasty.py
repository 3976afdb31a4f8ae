"""The service with a short pause between two attempts of a run; run as a program, it is `errand`."""

import sys
from pathlib import Path


def main() -> None:
    """Do what the command line says."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import errand
    from bot.catalog import retries

    retries.FIRST_PAUSE = 0.25
    errand.main()


if __name__ == "__main__":
    main()
