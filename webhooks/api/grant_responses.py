"""What the API answers about tokens, hooks and pinned repositories; a secret is shown once."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from webhooks.api.shapes import Moment, Shape, Url, page_url


class Token(Shape):
    """A token, without its text."""

    name: str
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class NewToken(Token):
    """A token with its text, which only this answer shows."""

    token: str


class Tokens(Shape):
    """All tokens by name, also those that have expired."""

    tokens: list[Token]


class Hook(Shape):
    """A deploy hook; its text is not kept. `last_used_by`: address and program of the last request."""

    job: str
    name: str
    created_at: Moment
    created_by: str
    last_used_at: Moment | None
    last_used_by: str | None
    url: Url = page_url("hooks", "job")


class NewHook(Hook):
    """A hook with its token, which only this answer shows."""

    token: str


class Hooks(Shape):
    """All hooks by job and name."""

    hooks: list[Hook]


class RepositoryFile(Shape):
    """What was read last of the file in which a repository defines jobs, and the commit that is in force."""

    state: Literal["new", "good", "wrong", "none", "gone"]
    problem: str | None
    prefix: str
    seen: str | None
    commit: str | None
    read_at: Moment | None


class Repository(Shape):
    """A name of a repository, or of an owner alone, and the number that it had when it was first seen.

    `current_name` is what GitHub calls it now, `rival` the last other number that came under its name. `file`
    is there for a repository that may define jobs.
    """

    name: str
    number: int
    current_name: Annotated[str | None, AfterValidator(lambda name: name or None)] = Field(
        validation_alias="current"
    )
    pinned_at: Moment
    rival: int | None
    file: RepositoryFile | None


class Repositories(Shape):
    """All pinned names."""

    repositories: list[Repository]
