"""The stand-in itself: what tests and the demo set up and look at."""

import functools
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from demo.entities import number_of
from demo.github.access import Access
from demo.github.accounts import Client, Installation, Organization, Token
from demo.github.actions import Actions
from demo.github.published import Misfit
from demo.github.routes import Routes
from demo.github.shapes import Shapes
from demo.github.state import (
    PERMISSIONS,
    Check,
    Comment,
    Deployment,
    Pull,
    Reaction,
    Recorded,
    Repository,
    Review,
    State,
    Status,
)
from demo.watched import Watched


@functools.cache
def _key() -> tuple[str, str]:
    """A private key and its public half as PEM, made once for the process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


class GitHubStandIn(Watched):
    """One GitHub with one App, or (`enterprise`) an Enterprise Server.

    `url` is where it listens, set by who starts it; `clock` is its time.

    `requests`, `comments`, `reactions`, `statuses` and `checks` are what came; `wait_for` waits on them.
    `describe` gives who knows GitHub's published description, if anybody does; `misfits` is what does not.
    """

    describe: ClassVar[Callable[[], Misfit | None] | None] = None
    misfits: ClassVar[list[str]] = []

    def __init__(
        self, *, clock: Callable[[], float] = time.time, app_id: int = 4711, enterprise: bool = False
    ) -> None:
        self.private_key, public_key = _key()
        self.app_id = app_id
        self.bot_login = "errand[bot]"
        self.state = State(private_key=self.private_key)
        self._clock = clock
        self._shapes = Shapes("http://github.invalid", app_id, "errand", "/api/v3" if enterprise else "")
        self._shapes.client_id = self.client.id
        self.actions = Actions(self._shapes, clock)
        access = Access(self.state, clock, app_id, public_key)
        routes = Routes(self.state, access, self._shapes, clock, self.actions)
        describe = type(self).describe
        routes.check, routes.misfits = describe() if describe is not None else None, self.misfits
        super().__init__(routes.app())

    @property
    def url(self) -> str:
        """Where the stand-in listens."""
        return self._shapes.url

    @url.setter
    def url(self, url: str) -> None:
        self._shapes.url = url

    @property
    def api_url(self) -> str:
        """Where its REST API is."""
        return self._shapes.api

    @property
    def client(self) -> Client:
        """The App as people log in by it."""
        return self.state.client

    @property
    def comments(self) -> list[Comment]:
        """Every comment, oldest first."""
        return self.state.comments

    @property
    def reactions(self) -> list[Reaction]:
        """Every reaction, oldest first."""
        return self.state.reactions

    @property
    def statuses(self) -> list[Status]:
        """Every commit status, oldest first."""
        return self.state.statuses

    @property
    def checks(self) -> list[Check]:
        """Every check run, oldest first."""
        return self.state.checks

    @property
    def reviews(self) -> list[Review]:
        """Every answer to a deployment protection rule, oldest first."""
        return self.state.reviews

    def add_deployment(self, repository: str, sha: str, environment: str) -> Deployment:
        """A deployment that somebody made."""
        made = Deployment(next(self.state.ids), repository, sha, environment)
        self.state.deployments[made.id] = made
        return made

    def add_repository(
        self,
        name: str,
        *,
        git: Path | None = None,
        private: bool = False,
        default_branch: str = "main",
        refs: dict[str, str] | None = None,
        install: bool = True,
    ) -> Repository:
        """A repository; `install`: the App is installed on its account."""
        number = self.state.new_number(name)
        made = Repository(number, name, private, default_branch, git, dict(refs or {}))
        self.state.repositories[name] = made
        self.state.former.pop(name.lower(), None)
        account = name.partition("/")[0]
        known = {each.account.lower() for each in self.state.installations.values()}
        if install and account.lower() not in known:
            self.install(account)
        return made

    def rename(self, old: str, new: str) -> Repository:
        """Rename a repository, or transfer it; the old name leads to it until another one takes that."""
        self.state.rename(old, new)
        return self.state.repositories[new]

    def remove(self, name: str) -> None:
        """Delete a repository; its name is free, and its number never comes again."""
        del self.state.repositories[name]

    def add_person(self, repository: str, login: str, role: str = "write") -> None:
        """Give somebody a role: read, triage, write, maintain, admin, or one of the organization's own."""
        self.state.repositories[repository].people[login.lower()] = role

    def add_member(self, organization: str, login: str, *addresses: str, domains: Iterable[str] = ()) -> None:
        """A member of an organization that has verified `domains`, who has verified these `addresses`."""
        made = self.state.organizations.setdefault(organization.lower(), Organization(set()))
        made.domains |= set(domains)
        made.members[login] = list(addresses)

    def add_to_team(self, organization: str, slug: str, login: str, state: str = "active") -> None:
        """A member of a team, or (`pending`) somebody who was invited to it."""
        made = self.state.organizations.setdefault(organization.lower(), Organization(set()))
        made.teams.setdefault(slug.lower(), {})[login] = state

    def add_pull(
        self, repository: str, number: int, head_sha: str, head_ref: str, *, head_repository: str | None = ""
    ) -> Pull:
        """A pull request, from the repository itself unless another (or None: it is gone) is named."""
        known = self.state.repositories[repository]
        head = repository if head_repository == "" else head_repository
        pull = Pull(number, head_sha, head_ref, head, known.default_branch)
        if head is not None:
            there = self.state.repository(head) or self.state.moved(head)
            pull.head_number = number_of(head) if there is None else there.id
        known.pulls[number] = pull
        return pull

    def add_comment(
        self, repository: str, issue: int, login: str, body: str, *, on_line: bool = False
    ) -> Comment:
        """A comment by a person (or, with the login of the App's bot, of the App), perhaps on a line."""
        now, id = self._clock(), next(self.state.ids)
        app = self.app_id if login == self.bot_login else None
        thread = id if on_line else None
        comment = Comment(id, repository, issue, login, app, now, now, [body], thread=thread)
        self.state.comments.append(comment)
        return comment

    def record(self, event: str, guid: str, payload: dict[str, Any], status_code: int = 0) -> Recorded:
        """Something was delivered, or (0) could not be."""
        known = {each.guid for each in self.state.recorded}
        number, now = next(self.state.ids), self._clock()
        made = Recorded(number, guid, event, payload, status_code, now, redelivery=guid in known)
        self.state.recorded.append(made)
        return made

    def add_token(self, text: str, login: str) -> str:
        """A person's token."""
        self.state.tokens[text] = Token(text, login)
        return text

    def install(
        self,
        account: str,
        *,
        repositories: Iterable[str] | None = None,
        permissions: dict[str, str] | None = None,
    ) -> Installation:
        """Install the App; `repositories` None: on all of the account's."""
        chosen = set(repositories) if repositories is not None else None
        made = Installation(next(self.state.ids), account, dict(permissions or PERMISSIONS), chosen)
        self.state.installations[made.id] = made
        return made

    def uninstall(self, account: str) -> None:
        """Remove the App from an account; its tokens end."""
        for each in [each for each in self.state.installations.values() if each.account == account]:
            del self.state.installations[each.id]
            self._end(lambda token, gone=each.id: token.installation == gone)  # type: ignore[misc]

    def revoke_tokens(self) -> None:
        """End every installation token."""
        self._end(lambda token: token.installation is not None)

    def revoke(self, text: str) -> None:
        """End one token."""
        self._end(lambda token: token.text == text)

    def _end(self, ends: Callable[[Token], bool]) -> None:
        for token in [token for token in self.state.tokens.values() if ends(token)]:
            del self.state.tokens[token.text]
