"""Carries what the containers of one pod write into the log that is kept, to its end.

A stream that ends may have broken on its way: once the container has ended, its log is read once more from
where it stood. What the node deletes before that (as it does with a deleted pod) is only missed where
no stream came to its end.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client, Silence
from executor.kubernetes.controller.log_cursor import LogCursor
from executor.kubernetes.controller.run_directory import Checkpoint, Turn
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import PODS
from executor.kubernetes.watching.states import TERMINATED, WAITING, Container, Pod
from executor.logs.collector import LogCollector
from executor.threads import shielded

MISSING = "[… lines may be missing here: the node had not kept them …]"
RESTARTED = "[… it was started again …]"
_INCOMPLETE = "[… the last lines may be missing: {} …]"

_IDLE = 300.0
"""Seconds of a silent job after which its log is asked for anew: what is between may drop a silent line."""
LAST = 10.0
"""Seconds in which the stream of a container that has ended has to go on or to end."""
_AGAIN, _SLOWEST = 0.5, 10.0
"""Seconds before what failed is asked for again: doubled each time, up to the second."""
_PAUSE = 2.0
"""Seconds after the end of a stream in which the container should be seen to have ended."""
_PATIENCE, _LONGEST = 60.0, 600.0
"""Seconds for which the log of a container that has ended is asked for in vain: where the server says
that there is none, and where it does not answer."""
_FORGOTTEN = 10.0
"""The same where its pod was deleted and has ended: the node deletes the log with it, and has none again."""


class Follower:
    """Follows the log of one pod, as `pod` tells what that has come to; None once it is gone."""

    def __init__(
        self,
        client: Client,
        pod: Callable[[], Pod | None],
        last_words: float = LAST,
    ) -> None:
        self._client = client
        self._last_words = last_words
        self._pod = pod
        self._changed = asyncio.Event()
        self._over = False
        self._last: Pod | None = None
        self._stream: tuple[str, asyncio.Timeout] | None = None

    def look(self) -> None:
        """Say that the pod has changed."""
        self._changed.set()
        self._hurry()

    def end(self) -> None:
        """Say that nothing comes any more but what is there."""
        self._over = True
        self.look()

    async def follow(
        self, keeping: LogCollector, turn: Turn, start: Checkpoint | None, grown: Callable[[], None]
    ) -> list[str]:
        """Follow to the end, from `start` on; gives lines to add, of Errand's own.

        `grown` is called whenever there is more in the log.
        """
        notes = []
        name: str | None = None
        while (name := await self._next(name)) is not None:
            if start is not None and name != start.container:
                continue
            one = _One(name, LogCursor(start.position if start is not None else None), keeping, turn, grown)
            start = None
            if problem := await self._carry(one):
                notes.append(_INCOMPLETE.format(problem))
        return notes

    async def _next(self, after: str | None) -> str | None:
        """Give the next container that has started; None if none will."""
        while True:
            self._changed.clear()
            over = self._over  # before looking, so that nothing can follow
            pod = self._seen()
            names = [one.name for one in pod.containers] if pod is not None else []
            further = names[names.index(after) + 1 :] if after in names else names if after is None else []
            if after is not None and not further:
                return None
            if further and self._container(further[0]).started_at is not None:
                return further[0]
            if over or self._has_failed(further[0] if further else ""):
                return None
            await self._changed.wait()

    def _has_failed(self, name: str) -> bool:
        """Whether a container ended without ever having started."""
        return self._container(name).status == TERMINATED

    def _seen(self) -> Pod | None:
        self._last = self._pod() or self._last
        return self._last

    def _container(self, name: str) -> Container:
        pod = self._seen()
        ours = pod.containers if pod is not None else ()
        return next((one for one in ours if one.name == name), Container(name, WAITING))

    def _patience(self) -> float:
        """Give the seconds for which the server may say that there is no log of what has ended."""
        pod = self._seen()
        is_forgotten = pod is not None and pod.deleted_at is not None and pod.has_ended
        return _FORGOTTEN if is_forgotten else _PATIENCE

    def _has_ended(self, name: str) -> bool:
        return self._over or self._container(name).status == TERMINATED

    async def _carry(self, one: "_One") -> str | None:
        """Carry all that one container writes; gives why the end of it may be missing, if it may."""
        delay, is_whole, deadline = _AGAIN, False, math.inf
        while True:
            self._changed.clear()
            ended = self._has_ended(one.name)  # before reading, so that nothing can follow
            problem, answered, was_silent = "", True, False
            try:
                came = await self._read(one, follow=not ended)
                delay = _PAUSE if came else max(delay, _PAUSE)
                problem = one.stamped.trouble.decode(errors="replace").strip()[:300]
            except Refused as refused:
                problem = refused.message
            except EngineUnavailable as unavailable:
                problem, answered, was_silent = str(unavailable), False, isinstance(unavailable, Silence)
            if not ended:
                is_whole = not problem
                one.end_stream(datetime.now(UTC), is_whole=is_whole or was_silent)
            elif not problem or (is_whole and answered):
                return None
            else:
                now = asyncio.get_running_loop().time()
                deadline = min(deadline, now + (self._patience() if answered else _LONGEST))
                if now >= deadline:
                    return None if is_whole else problem
            if is_whole and not ended and self._container(one.name).restarts:
                delay = _SLOWEST  # until then it is not known which one of them would be read
            await self._wait(one, delay, ended)
            delay = min(2 * delay, _SLOWEST)

    async def _wait(self, one: "_One", seconds: float, ended: bool) -> None:
        """Wait before the next look, at most until the container has ended or was started again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while ended or not (self._has_ended(one.name) or self._is_another(one)):
                    await self._changed.wait()
                    self._changed.clear()

    def _is_another(self, one: "_One") -> bool:
        return one.restarts not in (None, self._container(one.name).restart_count)

    async def _read(self, one: "_One", *, follow: bool) -> bool:
        """Read until the server ends it; tells whether anything came."""
        pod = self._seen()
        if pod is None:
            raise Refused(HTTPStatus.NOT_FOUND, "NotFound", "there is no pod")
        query: dict[str, str | int] = {"container": one.name, "timestamps": "true"}
        count = self._container(one.name).restart_count
        if since := await shielded(lambda: one.begin(count)):
            query["sinceTime"] = since
        if follow:
            query["follow"] = "true"
        parts = (pod.name, "log")
        came = False
        try:
            async with asyncio.timeout(None) as patience:
                self._stream = (one.name, patience)
                self._hurry()
                async with self._client.stream(
                    PODS, pod.namespace, *parts, query=query, idle=_IDLE, first=_IDLE
                ) as pieces:
                    async for piece in pieces:
                        came = True
                        await shielded(partial(one.take, piece))
                        one.grown()
                        self._hurry()
                if not follow and not one.stamped.trouble:
                    await shielded(one.finish)
        except TimeoutError as problem:
            raise EngineUnavailable("it does not come to an end") from problem
        finally:
            self._stream = None
        return came

    def _hurry(self) -> None:
        """After the end of the container the rest of its log has to come soon, and to end."""
        if self._stream is not None and self._has_ended(self._stream[0]):
            self._stream[1].reschedule(asyncio.get_running_loop().time() + self._last_words)


class _One:
    """The log of one container on its way."""

    def __init__(
        self, name: str, stamped: LogCursor, keeping: LogCollector, turn: Turn, grown: Callable[[], None]
    ) -> None:
        self.name = name
        self.grown = grown
        self.stamped = stamped
        self._collect = keeping
        self._turn = turn
        self._whole_until: datetime | None = None
        self.restarts: int | None = None  # of the container that was read last

    def begin(self, restarts: int) -> str | None:
        """Begin anew; gives the `sinceTime` from which to read. What was started again has another log."""
        if self.restarts not in (None, restarts):
            self.stamped, self._whole_until = LogCursor(None), None
            self._collect.note(RESTARTED)
        self.restarts = restarts
        return self.stamped.begin(self._whole_until)

    def end_stream(self, now: datetime, *, is_whole: bool) -> None:
        """A stream ended; `is_whole`: all that was written has come, or nothing has for long.

        What begins where the one before it ended goes on with what is known of that.
        """
        is_known = self.stamped.is_found or self._whole_until is not None
        self._whole_until = now if is_whole and is_known else None

    def take(self, data: bytes) -> None:
        """Keep the next piece of what the node tells; blocking."""
        self._keep(self.stamped.feed(data))

    def finish(self) -> None:
        """The node told all that it has; blocking."""
        self._keep(self.stamped.finish())

    def _keep(self, text: bytes) -> None:
        if self.stamped.gap:
            self.stamped.gap = False
            self._collect.note(MISSING)
        self._collect.take(text)
        if self._collect.is_settled:
            self._turn.write(Checkpoint(self._collect.offset, self.name, self.stamped.position))
