"""Repositories that are called otherwise from now on."""

from pydantic import BaseModel, Field

from bot.events.facts import Ignored, RepositoryChanged, RepositoryMoved
from bot.events.payloads import Repository, number_of, text_at

_CHANGES = frozenset({"archived", "deleted", "edited", "unarchived"})
"""Actions after which the file of a repository is read anew; `edited` may be its default branch."""


class _RepositoryEvent(BaseModel):
    action: str
    repository: Repository
    changes: dict[str, object] = Field(default_factory=dict)

    @property
    def former(self) -> str | None:
        """Its name before, None where that stayed.

        https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository
        """
        owner, _, name = self.repository.full_name.partition("/")
        if self.action == "renamed":
            old = text_at(self.changes, "repository", "name", "from")
            return f"{owner}/{old}" if old else None
        if self.action == "transferred":
            account = text_at(self.changes, "owner", "from", "organization", "login")
            old = account or text_at(self.changes, "owner", "from", "user", "login")
            return f"{old}/{name}" if old else None
        return None


def read(payload: object) -> RepositoryMoved | RepositoryChanged | Ignored:
    """A repository was renamed or transferred, or what it may do here may be other than before."""
    event = _RepositoryEvent.model_validate(payload)
    number, former = number_of(event.repository.id), event.former
    if number is None or (former is None and event.action not in _CHANGES):
        return Ignored(f"a repository was {event.action[:40]}, which changes nothing here")
    if former is None:
        return RepositoryChanged(event.repository.full_name, number, event.action)
    return RepositoryMoved(event.repository.full_name, number, former)
