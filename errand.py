"""The front door: the command line. `terminal` has the commands, `service` puts the rooms together."""

import signal

__all__ = ["main"]


def main() -> None:
    """Load the commands and run what was typed.

    Loading takes a moment; Ctrl-C in it ends the process by the signal, which needs no traceback.
    """
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from terminal.app import main as begin

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    begin()


if __name__ == "__main__":
    main()
