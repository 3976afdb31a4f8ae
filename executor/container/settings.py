"""Which engine of containers is used."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`command` builds, with `arguments` before its subcommand; `socket` (a path or a URL) runs.

    Without a socket Podman is started as a service for as long as it is needed, and Docker is asked at the
    socket that its own client would use. `is_shared`: builds of all repositories use the engine's own storage
    of images; else each has one of its own, where the engine can. `cache` is how many bytes builds may keep.
    """

    command: str = "podman"
    socket: str | None = None
    arguments: tuple[str, ...] = ()
    is_shared: bool = False
    cache: int = 20 * 2**30
