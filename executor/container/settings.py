"""Where the container engine is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`command` builds, with `arguments` before its subcommand; `socket` runs, None: it is started."""

    command: str = "podman"
    socket: str | None = None
    arguments: tuple[str, ...] = ()
