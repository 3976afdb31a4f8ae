"""An engine's service that is not there, or does not start."""

from pathlib import Path

import pytest

from executor.container import ContainerEngine, Settings
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore

pytestmark = pytest.mark.container


async def test_engine_that_is_not_there_is_unavailable(tmp_path: Path, logs: LogStore) -> None:
    for settings in (
        Settings(socket=str(tmp_path / "none.sock")),
        Settings(command="podman-that-is-missing"),
    ):
        engine = ContainerEngine(settings, tmp_path / "work", logs)
        with pytest.raises(EngineUnavailable):
            await engine.open()
        await engine.close()


async def test_service_that_does_not_start_says_why(tmp_path: Path, logs: LogStore) -> None:
    engine = ContainerEngine(Settings(arguments=("--no-such-option",)), tmp_path / "work", logs)
    with pytest.raises(EngineUnavailable, match="no-such-option"):
        await engine.open()
    await engine.close()
