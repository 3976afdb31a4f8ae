"""What stands in for GitHub in a chat: checkouts on this machine, and one person who may do everything."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from bot.errors import AskerError
from bot.github import GitHub, NamedCommit, Repository
from bot.messages import StatusFields
from bot.text.wording import quoted
from executor.spec import Secret


class Checkouts(GitHub):
    """Repositories by their lower-case names; `""` is for those that are not named. Nothing is ever sent."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths

    @property
    def is_app(self) -> bool:
        """Results would be told as statuses, which go nowhere."""
        return False

    @property
    def recorded(self) -> None:
        """Nobody sends anything here."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def permission(self, repository: str, login: str) -> str:
        """Whoever sits at this terminal may do what its user may."""
        return "admin"

    async def repository(self, name: str) -> Repository:
        """The branch that is checked out stands for the default branch."""
        branch = await self._git(name, "rev-parse", "--abbrev-ref", "HEAD")
        return Repository(name, branch or "HEAD", private=True)

    async def commit(self, repository: str, ref: str) -> NamedCommit:
        """The commit of a branch, a tag or a SHA in the checkout; what is not committed is not seen."""
        sha = await self._git(
            repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
        )
        if sha is None:
            raise AskerError(f"There is no {quoted(ref)} in {quoted(str(self._path(repository)))}.")
        return NamedCommit(sha, "branch", ref)

    async def branch(self, repository: str, name: str) -> NamedCommit:
        """What is checked out."""
        return await self.commit(repository, name)

    async def owns(self, repository: str, sha: str, default_branch: str) -> bool:
        """Whoever sits at this terminal has chosen what is in the checkout."""
        return True

    async def clone(self, repository: str) -> tuple[str, Secret | None]:
        """The checkout itself is fetched from."""
        return self._path(repository).absolute().as_uri(), None

    async def set_status(self, repository: str, commit: str, fields: StatusFields) -> None:
        """The terminal tells it."""

    def _path(self, repository: str) -> Path:
        path = self._paths.get(repository.casefold(), self._paths.get(""))
        if path is None:
            raise AskerError(
                f"There is no checkout of {quoted(repository)} here: start the chat within one, or with"
                f" {quoted(f'--checkout {repository}=PATH')}."
            )
        return path

    async def _git(self, repository: str, *arguments: str) -> str | None:
        process = await asyncio.create_subprocess_exec(
            "git",
            "-C",
            str(self._path(repository)),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate()
        return output.decode(errors="replace").strip() if process.returncode == 0 else None
