"""Which commit a thing that happened is about, whose it is, and whether its message lets anything run.

The code of forks is run only where somebody has said so of that commit, by whichever event a commit is named.
"""

from dataclasses import dataclass, replace

from bot.catalog.images import Image
from bot.errors import AskerError
from bot.events import Occurrence
from bot.handlers.resolution import TargetResolver
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.text.refs import OF_FORK
from bot.text.skipping import skip_mark


class Skipped(AskerError):
    """The commit's message says that nothing is to run for it."""

    def __init__(self, mark: str) -> None:
        super().__init__(f"the commit's message says {mark}")
        self._mark = mark

    @property
    def reason(self) -> dict[str, str]:
        """The words that say so."""
        return {"kind": "skip", "mark": self._mark}


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that is run, a full SHA, and how it is called; `refusal`: why nothing is to run."""

    sha: str
    ref: str | None = None
    refusal: AskerError | None = None


class OccurrenceCommits:
    """Asks GitHub where the payload does not say it all."""

    def __init__(self, registry: Registry, host: CodeHost, resolver: TargetResolver) -> None:
        self._registry = registry
        self._host = host
        self._resolver = resolver

    async def of(self, happened: Occurrence, image: Image) -> Commit:
        """The commit for an image of the repository; `RetryLater` where GitHub does not answer now."""
        repository = self._registry.catalog.spelling(happened.repository)
        try:
            found = await self._named(happened, image, repository)
            mark = await self._mark(happened, repository, found)
        except AskerError as refusal:
            return Commit(happened.commit, happened.ref or None, refusal)
        return replace(found, refusal=Skipped(mark)) if mark else found

    async def _mark(self, happened: Occurrence, repository: str, commit: Commit) -> str:
        """What the commit's message says nothing is to run by, for events of which that is true."""
        if happened.skip is not None:
            return happened.skip
        if happened.event != "pull_request" or happened.facts["action"] in ("closed", "labeled"):
            return ""
        return skip_mark(await self._host.required.commit_message(repository, commit.sha))

    async def _named(self, happened: Occurrence, image: Image, repository: str) -> Commit:
        if happened.own is not None:
            if not happened.own:
                await self._resolver.forks.require(repository, happened.commit)
            fork = "" if happened.own else f"{happened.head or 'a fork'}{OF_FORK}"
            return Commit(happened.commit, f"{fork}{happened.ref or happened.commit}")
        target = await self._resolver.head(image, repository, happened.commit or happened.ref or None)
        source = target.source
        if source is None:
            raise LookupError("an image without a source")
        # What GitHub calls the ref says nothing of a commit that is not the repository's own.
        of_fork = OF_FORK in (source.ref or "")
        return Commit(source.commit, source.ref if of_fork else happened.ref or source.ref)
