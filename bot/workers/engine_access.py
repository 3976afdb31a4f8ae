"""The engine with what belongs to it on this side: its logs, and what it could not forget yet."""

from dataclasses import dataclass, field

from bot.workers.leftovers import Leftovers
from executor.engine import Engine
from executor.logs.store import LogStore


@dataclass(frozen=True, slots=True)
class EngineAccess:
    """Shared by all who have the engine do something."""

    engine: Engine
    logs: LogStore
    leftovers: Leftovers = field(default_factory=Leftovers)
