"""Which files of repositories are read, and which pull requests are told what they would change of one.

A push has the file wanted; it is read as it is when its turn comes, so an older push never brings back an
older file.
"""

from collections.abc import Callable

from bot.config import FILE
from bot.events import Occurrence, Push, RepositoryChanged
from bot.handlers.decisions import Decision, ignored
from bot.posting import targets
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.states import ActorKind
from bot.store import Session, posts, repository_files
from bot.store.holder import LeaseHolder

_PROPOSING = frozenset({"opened", "synchronize", "reopened"})
"""What makes a commit the head of a pull request."""


class RepositoryFileHandler:
    """Decides which files are read, and what comes of them."""

    def __init__(
        self, registry: Registry, host: CodeHost, holder: LeaseHolder, nonce: Callable[[], str]
    ) -> None:
        self._registry = registry
        self._host = host
        self._holder = holder
        self._nonce = nonce

    def pushed(self, push: Push) -> Decision:
        """Have the file read where the default branch was pushed of a repository that may have one."""
        rules = self._registry.config.repository_rules(push.repository)
        if rules is None or push.number is None or push.tag or push.name != push.default_branch:
            return ignored("")
        pusher = ActorKind.GITHUB.named(push.sender)
        request = repository_files.ReadRequest(push.number, push.repository, pusher, push.after)
        now = self._holder.clock()
        return Decision(
            True,
            lambda session: repository_files.want(session, request, now=now),
            lambda: f"push of {push.repository}@{push.ref} {push.commit[:12]}: {FILE} is read",
        )

    async def changed(self, event: RepositoryChanged) -> Decision:
        """Have the file read where something happened to its repository, such as that it was archived."""
        head = f"{event.repository} was {event.what}"
        row = await self._holder.store.read(lambda s: repository_files.of_number(s, event.number))
        if row is None:
            return ignored(f"{head}, and defines nothing here")
        request = repository_files.ReadRequest(event.number, row.repository)
        now = self._holder.clock()
        return Decision(
            True,
            lambda session: repository_files.want(session, request, now=now),
            lambda: f"{head}: its {FILE} is read",
        )

    async def again(self, number: int) -> None:
        """Have the file read of a repository that has another name by now."""

        def write(session: Session) -> None:
            row = repository_files.of_number(session, number)
            if row is not None:
                request = repository_files.ReadRequest(number, row.repository)
                repository_files.want(session, request, now=self._holder.clock())

        await self._holder.store.write(write)

    async def discover(self, name: str) -> None:
        """Have the file read of a repository that the server's file names; `RetryLater`, `Refused`."""
        repository = await self._host.about(name)
        if repository.number is None:
            return
        request, now = repository_files.ReadRequest(repository.number, name), self._holder.clock()
        await self._holder.store.write(lambda s: repository_files.want(s, request, now=now))

    async def proposed(self, happened: Occurrence) -> Decision:
        """Have a plan made of what a pull request would change of the file."""
        rules = self._registry.config.repository_rules(happened.repository)
        branch, number = happened.facts.get("branch"), happened.number
        if rules is None or number is None or happened.pull is None or branch != happened.default_branch:
            return ignored("")
        if happened.facts.get("action") not in _PROPOSING:
            return ignored("")
        row = await self._holder.store.read(lambda s: repository_files.of_number(s, number))
        place = targets.FilePlace(happened.repository, number, happened.commit, row.prefix if row else "")
        now, nonce = self._holder.clock(), self._nonce()
        post = targets.file_plan(place, happened.pull, happened.default_branch, now=now, nonce=nonce)
        return Decision(
            True,
            lambda session: posts.add(session, [post]),
            lambda: f"{happened.subject} in {happened.repository}: its {FILE} is compared",
        )
