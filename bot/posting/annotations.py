"""What the log of a run says of places in the repository: bounded, the gravest first."""

import asyncio
from collections.abc import Mapping, Sequence

from bot import messages
from bot.catalog.annotations import LEVELS, Annotation, LineForm, annotation, form, stopping
from bot.states import attempt_name
from bot.tables import Run
from executor.logs.controls import CONTROL
from executor.logs.store import LogStore

MOST = 200
"""Annotations of one check; the rest is counted."""
LAST_BYTES = 8 * 1024 * 1024
"""Of a log, in which they are looked for."""
LINE_BYTES = 8192
"""Of a line that is looked at."""


class LogAnnotations:
    """Reads them out of logs; the work is done in threads."""

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs

    async def of(self, run: Run) -> messages.CheckNotes:
        """Those of the last attempt of a run that has ended."""
        key = attempt_name(run.name, run.attempt)
        size = await self._logs.size(key)
        if size is None:
            return messages.CheckNotes()
        scan = Scan(_forms(run.definition), whole=size <= LAST_BYTES)
        async for chunk in self._logs.read(key, offset=max(size - LAST_BYTES, 0)):
            await asyncio.to_thread(scan.feed, chunk.data)
        return await asyncio.to_thread(scan.notes)


class Scan:
    """Looks through a log piece by piece. Without `whole` it begins within a line, which is left out."""

    def __init__(self, forms: Sequence[LineForm], *, whole: bool = True) -> None:
        self._forms = forms
        self._rest = b""
        self._within = not whole
        self._kept: dict[str, list[Annotation]] = {level: [] for level in LEVELS}
        self._seen: set[Annotation] = set()
        self._counts = dict.fromkeys(LEVELS, 0)
        self._stopped: str | None = None
        """What lets commands count again, after the job has said that what follows holds none."""

    def feed(self, data: bytes) -> None:
        """The next bytes of the log."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[: 2 * LINE_BYTES]
        for line in lines:
            self._look(line)

    def notes(self) -> messages.CheckNotes:
        """What was found, once all was fed."""
        self._look(self._rest)
        self._rest = b""
        found = [each for level in LEVELS for each in self._kept[level]]
        placed = [each for each in found if each.path is not None][:MOST]
        unplaced = [each for each in found if each.path is None][:MOST]
        return messages.CheckNotes(tuple(placed), tuple(unplaced), dict(self._counts))

    def _look(self, line: bytes) -> None:
        if self._within:
            self._within = False
            return
        if not self._forms and b"::" not in line:
            return
        text = CONTROL.sub("", line[:LINE_BYTES].decode(errors="replace"))
        if self._stopped is None:
            self._stopped = stopping(text)
        elif text.strip() == f"::{self._stopped}::":
            self._stopped = None
        if self._stopped is not None:
            return
        made = annotation(text, self._forms)
        if made is None or made in self._seen:
            return
        self._counts[made.level] += 1
        if len(self._kept[made.level]) < 2 * MOST:
            self._kept[made.level].append(made)
            self._seen.add(made)


def _forms(definition: Mapping[str, object]) -> list[LineForm]:
    """The forms of a stored job; one that this version does not take finds nothing."""
    texts, found = definition.get("annotations"), list[LineForm]()
    for text in texts if isinstance(texts, list | tuple) else []:
        try:
            found.append(form(text))
        except (ValueError, TypeError):
            continue
    return found
