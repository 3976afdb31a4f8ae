"""Which engine of containers is used."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`command` builds, and its `arguments` come before the subcommand; `socket` (a path or a URL) runs.

    Without a socket Podman is started as a service for as long as it is needed, Docker is asked at the
    socket that its own client would use.
    """

    command: str = "podman"
    socket: str | None = None
    arguments: tuple[str, ...] = ()
