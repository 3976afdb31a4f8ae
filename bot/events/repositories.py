"""Repositories that are called otherwise from now on."""

from pydantic import BaseModel, Field

from bot.events.facts import Ignored, RepositoryMoved
from bot.events.payloads import Repository, number_of, text_at


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


def read(payload: object) -> RepositoryMoved | Ignored:
    """A repository was renamed or transferred; nothing else that happens to one matters."""
    event = _RepositoryEvent.model_validate(payload)
    number, former = number_of(event.repository.id), event.former
    if former is None or number is None:
        return Ignored(f"a repository was {event.action[:40]}, and not renamed or transferred")
    return RepositoryMoved(event.repository.full_name, number, former)
