"""What jobs and builds of a chat print, line by line while they write it, between what else is told.

Their logs are read as everybody else reads them, so what is secret is masked already.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from executor.logs.store import LogStore
from terminal.screen import Screen
from webhooks.text import reading

PACE_S = 0.2
"""Seconds between two pieces that a person is shown of one log."""
LINES = 200
"""Lines of one piece that a person is shown: the last ones."""
BEHIND = 64 * 1024
"""Bytes by which a person may be behind a log; what is older is left out."""
LONGEST = 2000
"""Characters of a line."""
_END_S = 10.0
"""Seconds that the last lines of a log are waited for."""


@dataclass
class _Shown:
    """A log on its way to the terminal; `whole`: nothing of it was left out so far."""

    label: str
    screen: Screen
    task: "asyncio.Task[None]"
    rest: str = ""
    whole: bool = True


@dataclass
class Outputs:
    """Shows logs through `tell`. `paced`: to a person, who is spared a flood; programs get everything."""

    logs: LogStore
    tell: Callable[[str], Awaitable[None]]
    paced: bool
    colours: bool
    _shown: dict[str, _Shown] = field(default_factory=dict)

    def show(self, key: str, label: str) -> None:
        """Begin to show the log `key`, as lines that begin with `label`; once."""
        if key not in self._shown:
            shown = _Shown(label, Screen(colours=self.colours), asyncio.create_task(self._follow(key)))
            self._shown[key] = shown

    async def end(self, key: str) -> bool:
        """Show what is left of a log that is complete; gives whether all of it was shown."""
        shown = self._shown.get(key)
        if shown is None:
            return False
        await self.logs.finish(key)
        await asyncio.wait([shown.task], timeout=_END_S)
        shown.task.cancel()
        return shown.whole

    def hide(self) -> list[str]:
        """Show no more of what is being shown; gives the labels of that."""
        hidden = [shown for shown in self._shown.values() if not shown.task.done()]
        for shown in hidden:
            shown.whole = False
            shown.task.cancel()
        return [shown.label for shown in hidden]

    async def close(self) -> None:
        """Let go of all logs."""
        tasks = [shown.task for shown in self._shown.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, key: str) -> None:
        offset: int | None = 0
        while offset is not None:
            offset = await self._read(key, offset)
        await self._tell(key, b"", end=True)

    async def _read(self, key: str, offset: int) -> int | None:
        """Show what comes from `offset` on; gives where to go on if that is too far behind, else None."""
        async with reading(self.logs, key, offset=offset, follow=True) as chunks:
            async for chunk in chunks:
                await self._tell(key, chunk.data)
                if not self.paced:
                    continue
                await asyncio.sleep(PACE_S)
                size = await self.logs.size(key) or 0
                if size - chunk.end > BEHIND:
                    await self._leave_out(key, size - BEHIND - chunk.end)
                    return size - BEHIND
        return None

    async def _leave_out(self, key: str, size: int) -> None:
        shown = self._shown[key]
        shown.whole, shown.rest = False, ""
        await self.tell(f"{shown.label} | … {size:,} bytes are left out")

    async def _tell(self, key: str, data: bytes, *, end: bool = False) -> None:
        shown = self._shown[key]
        lines = list(_lines(shown, data, end=end))
        if self.paced and len(lines) > LINES:
            shown.whole = False
            lines[:-LINES] = [f"… {len(lines) - LINES:,} lines are left out"]
        if lines:
            await self.tell("\n".join(f"{shown.label} | {line}" for line in lines))


def _lines(shown: _Shown, data: bytes, *, end: bool) -> Iterator[str]:
    """The lines that are complete; with `end` also the last one."""
    *lines, shown.rest = (shown.rest + shown.screen.shown(data, end=end)).split("\n")
    if end or len(shown.rest) > LONGEST:
        lines, shown.rest = [*lines, *filter(None, [shown.rest])], ""
    for line in lines:
        visible = line.rstrip("\r").rpartition("\r")[2]  # what was drawn over is not to be seen
        cut = f"{visible[:LONGEST]}…" if len(visible) > LONGEST else visible
        yield f"{cut}\x1b[0m" if "\x1b" in cut else cut
