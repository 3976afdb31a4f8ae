"""What the bot is put together of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.access import links
from bot.github import GitHub
from bot.registry import Registry
from bot.repositories import Repositories
from bot.slack import Slack
from bot.store import Store
from executor.engine import Engine
from executor.logs.store import LogStore

if TYPE_CHECKING:
    from bot.slack.socket_mode import SocketMode


@dataclass(frozen=True, slots=True)
class Parts:
    """What the front door opens and closes, taken whole by nobody but the composition.

    `clock` gives seconds since the epoch, `nonce` unguessable words of `[a-z0-9]`. `owner` is the name under
    which this bot claims work; GitHub and Slack are None where they are not configured. `keys` sign the links
    to pages, `repositories` are known by their numbers. `socket_mode` brings what Slack sends
    where it does not come over HTTP.
    """

    registry: Registry
    store: Store
    engine: Engine
    logs: LogStore
    github: GitHub | None
    slack: Slack | None
    clock: Callable[[], float]
    nonce: Callable[[], str]
    owner: str
    keys: links.Keys
    repositories: Repositories
    socket_mode: "SocketMode | None" = None
