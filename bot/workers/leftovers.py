"""What the engine could not forget when it had ended; it is asked again soon, and not only a day later."""

from executor.engine import Engine
from executor.errors import EngineUnavailable

MOST = 1000
"""Names that are kept; what is beyond is found by the engine's own pruning, as after a bot was killed."""

ROUND = 50
"""Names that the engine is asked for in one round."""


class Leftovers:
    """Names by which the engine knows runs and builds that have ended."""

    def __init__(self) -> None:
        self._keys: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def add(self, key: str) -> None:
        """The engine still has this one."""
        if len(self._keys) < MOST:
            self._keys[key] = None

    async def remove(self, engine: Engine) -> None:
        """Ask the engine again, oldest first; ends at one that it still cannot forget, which goes last."""
        for key in list(self._keys)[:ROUND]:
            del self._keys[key]
            try:
                await engine.remove(key)
            except (EngineUnavailable, OSError):
                self._keys[key] = None
                return
