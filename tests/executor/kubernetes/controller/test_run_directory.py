"""The turn to write a log is given back by whoever is cancelled while it is taken."""

import asyncio
import threading
from pathlib import Path

import pytest

from demo.watched import PATIENCE
from executor.kubernetes.controller.run_directory import RunDirectory
from executor.logs import logfile
from executor.logs.watcher import FileWatcher


async def test_turn_is_free_after_who_took_it_is_cancelled_at_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, seen, gate = RunDirectory(str(tmp_path / "run")), asyncio.Event(), threading.Event()
    loop, has_ended = asyncio.get_running_loop(), logfile.has_ended

    def slowly(path: str) -> bool:
        loop.call_soon_threadsafe(seen.set)
        gate.wait(PATIENCE)
        return has_ended(path)

    monkeypatch.setattr(logfile, "has_ended", slowly)
    taking = asyncio.create_task(place.turn(FileWatcher(), lambda: None))
    await seen.wait()
    taking.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await taking
    turn = await place.take()
    assert turn is not None
    turn.close()


async def test_turn_is_free_after_who_took_it_was_cancelled_meanwhile(tmp_path: Path) -> None:
    place = RunDirectory(str(tmp_path / "run"))
    taking = asyncio.create_task(place.take())
    await asyncio.sleep(0)  # its thread has begun
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    turn = await place.take()
    assert turn is not None
    turn.close()
