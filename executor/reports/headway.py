"""Tells how far a job says that it is, while it runs: at the events of its directory."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from executor.logs.redaction import Redactor
from executor.logs.watcher import FileWatcher
from executor.reports import files, reading
from executor.spec import Headway

PACE = 1.0
"""Seconds between two looks, however often a job writes."""


async def follow(
    directory: Path, watcher: FileWatcher, secrets: Sequence[bytes], tell: Callable[[Headway], None]
) -> None:
    """Tell every change until this is cancelled; ends at once where there is no such directory.

    The first look is a second away: whatever ends before that has no use for it.
    """
    await asyncio.sleep(PACE)
    redactor = await asyncio.to_thread(Redactor, secrets)
    while await asyncio.to_thread(directory.is_dir):
        change = watcher.arm(directory)  # before looking, so that nothing is missed
        headway = reading.headway(await asyncio.to_thread(files.progress, str(directory)), redactor)
        if headway is not None:
            tell(headway)
        await asyncio.gather(asyncio.sleep(PACE), asyncio.wait([change]))
