"""What callers over HTTP ask for: start, stop and repeat runs, single commands, another tag of an image."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.callers import Caller
from bot.tables import ImageTag, Run
from bot.tools import Tools


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is to be started with. `parameters` are as the asker wrote them."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    ref: str | None = None
    image_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Single:
    """One command: in the image of `images` called `image`, a reference, or a workload (`deployment/NAME`)."""

    image: str
    command: str | tuple[str, ...]
    workdir: str | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """The run that came of a call; `new` is False where the same call had made it before."""

    run: Run
    new: bool


class Calls:
    """Every call raises `bot.errors.AskerError` (its subclasses say which kind) and `RetryLater`.

    `key` is the caller's idempotency key: the same key and request give the same run for a day.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def start(self, caller: Caller, job: str, wanted: Wanted, *, key: str | None = None) -> Called:
        """Start a run of `job`."""
        raise NotImplementedError

    async def cancel(self, caller: Caller, number: int) -> Run:
        """Ask a run to stop; gives it as it is then. One that has finished stays as it is."""
        raise NotImplementedError

    async def rerun(
        self,
        caller: Caller,
        number: int,
        parameters: Mapping[str, str],
        *,
        latest: bool = False,
        key: str | None = None,
    ) -> Called:
        """Repeat a run exactly as it was, or changed in these parameters."""
        raise NotImplementedError

    async def execute(self, caller: Caller, single: Single, *, key: str | None = None) -> Called:
        """Run one command."""
        raise NotImplementedError

    async def move(self, caller: Caller, job: str, tag: str) -> ImageTag:
        """Let `job` run this tag of its image from now on, without running it."""
        raise NotImplementedError
