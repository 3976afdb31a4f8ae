"""The front door: the command line. `terminal` has the commands, `service` puts the rooms together."""

from terminal.app import cli, main

__all__ = ["cli", "main"]

if __name__ == "__main__":
    main()
