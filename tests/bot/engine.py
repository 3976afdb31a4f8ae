"""The engine that the tests of `bot` stand on: in memory, and held to the contract of the real ones."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from executor.errors import EngineUnavailable
from executor.logs.store import check_key
from executor.spec import BuildSpec, Live, Outcome, Progress, Result, RunSpec, Started

Step = Progress | Exception | Callable[[], Any]


class _Work:
    """One run or build that the engine knows: whoever follows it first takes its next step."""

    def __init__(self, spec: RunSpec | BuildSpec, steps: list[Step]) -> None:
        self.story: list[Progress] = []
        self._spec = spec
        self._steps = steps
        self._turn = asyncio.Lock()
        self._stopped = asyncio.Event()
        self._stopper: object = None

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, if it has."""
        last = self.story[-1] if self.story else None
        return last if isinstance(last, Outcome) else None

    def stop(self) -> None:
        self._stopper = asyncio.current_task()
        self._stopped.set()

    async def follow(self) -> AsyncIterator[Progress]:
        heard = 0
        while self.outcome is None or heard < len(self.story):
            if heard < len(self.story):
                yield self.story[heard]
                heard += 1
                continue
            async with self._turn:
                if heard == len(self.story) and not await self._step():
                    return

    async def _step(self) -> bool:
        """Take the next step; False where the plan has none left."""
        if self._stopped.is_set():
            cancelled = [one for one in self._steps if isinstance(one, Outcome)][:1]
            is_said = bool(cancelled) and cancelled[0].result is Result.CANCELLED
            self.story.append(cancelled[0] if is_said else Outcome(Result.CANCELLED))
        elif not self._steps:
            return False
        elif isinstance(self._steps[0], Exception):
            raise self._steps[0]
        elif callable(self._steps[0]):
            await self._unless_stopped(self._steps[0]())
            del self._steps[0]
        else:
            self.story.append(self._as_real(self._steps.pop(0)))  # type: ignore[arg-type]
        return True

    async def _unless_stopped(self, work: Awaitable[object]) -> None:
        task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
            if task.done() or self._stopper is task:
                await task
        finally:
            stopped.cancel()
            task.cancel()

    def _as_real(self, progress: Progress) -> Progress:
        """Only builds give images, and each that succeeds gives one."""
        if not isinstance(progress, Outcome):
            return progress
        image = None
        if isinstance(self._spec, BuildSpec) and progress.result is Result.SUCCEEDED:
            image = progress.image or f"image-of-{self._spec.key}"
        return replace(progress, image=image)


class ObedientEngine:
    """An engine in memory that does what `plans` say, one for each run or build that it does not know yet.

    The last plan stays. A step is told, raised, or (a function) called and awaited, which a stop cuts short;
    what was raised breaks off, so that the next question takes the next plan. `faults` are raised by the
    method of that name, once each.
    """

    def __init__(self) -> None:
        self.plans: list[list[Step]] = [
            [Started(time.time()), Outcome(Result.SUCCEEDED, exit_code=0, image="i")]
        ]
        self.faults: dict[str, list[Exception]] = {}
        self.calls: list[tuple[str, str]] = []
        self.specs: list[RunSpec | BuildSpec] = []
        self.begun: Counter[str] = Counter()
        """How often each key was begun."""
        self.gone: set[str] = set()
        self.pinned: list[str | Live] = []
        self.pins: list[list[Step]] = [[Outcome(Result.SUCCEEDED, image="tools@sha256:1")]]
        """The same as `plans` for `pin`."""
        self._known: dict[str, _Work] = {}
        self._images: set[str] = set()

    async def open(self) -> None:
        self._note("open", "")

    async def close(self) -> None:
        self._note("close", "")

    def run(self, spec: RunSpec) -> AsyncIterator[Progress]:
        return self._attend(spec)

    def build(self, spec: BuildSpec) -> AsyncIterator[Progress]:
        return self._attend(spec)

    async def pin(self, image: str | Live) -> AsyncIterator[Progress]:
        self.pinned.append(image)
        for step in _next(self.pins):
            if isinstance(step, Exception):
                raise step
            if callable(step):
                await step()
                continue
            self._remember(step)
            yield step

    async def stop(self, key: str) -> None:
        check_key(key)
        self._note("stop", key)
        if (work := self._known.get(key)) is not None:
            work.stop()

    async def has_image(self, image: str) -> bool:
        self._note("has_image", image)
        return image in self._images - self.gone

    async def prune(self, *, before: float) -> None:
        self._note("prune", "")
        for key, work in list(self._known.items()):
            if work.outcome is not None and (work.outcome.finished_at or time.time()) < before:
                del self._known[key]

    async def remove(self, key: str) -> None:
        check_key(key)
        self._note("remove", key)
        work = self._known.get(key)
        if work is not None and work.outcome is None:
            raise EngineUnavailable(f"{key} still runs")
        self._known.pop(key, None)

    def called(self, method: str) -> list[str]:
        return [key for name, key in self.calls if name == method]

    async def _attend(self, spec: RunSpec | BuildSpec) -> AsyncIterator[Progress]:
        check_key(spec.key)
        self.specs.append(spec)
        if (work := self._known.get(spec.key)) is None:
            self.begun[spec.key] += 1
            work = self._known[spec.key] = _Work(spec, list(_next(self.plans)))
        try:
            async for progress in work.follow():
                self._remember(progress)
                yield progress
        except Exception:
            self._known.pop(spec.key, None)
            raise
        if work.outcome is None:
            self._known.pop(spec.key, None)

    def _remember(self, progress: Progress) -> None:
        if isinstance(progress, Outcome) and progress.image is not None:
            self._images.add(progress.image)

    def _note(self, method: str, key: str) -> None:
        self.calls.append((method, key))
        if faults := self.faults.get(method):
            raise faults.pop(0)


def _next(plans: list[list[Step]]) -> list[Step]:
    return plans.pop(0) if len(plans) > 1 else plans[0]
