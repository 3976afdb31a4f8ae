"""Who may see: a signed link, an API token, or a login that was made from one.

Closed by default: whoever brings none of them learns nothing, not even whether a run exists. Tokens
are stored as hashes and found by hash, so that comparing them leaks no time; a login ends with its
token.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from bot.access import links, scopes
from bot.access.callers import LOCAL, Caller, of_person, of_token, of_workflow
from bot.catalog.catalog import Catalog
from bot.errors import RetryLater
from bot.github import is_signed
from bot.store import Session, Store, builds, history, runs, sessions, tokens
from bot.tables import Build, PersonSession, Token

TOKEN_PREFIX = "errand_"  # noqa: S105 - makes a leaked token easy to search for; not a secret

PERSON_PREFIX = "person_"
LOGIN_PREFIX = "errand_login_"
"""Of the token with which the command line comes as a person."""
_PERSON = re.compile(r"person_[A-Za-z0-9_-]{43}", re.ASCII)
_LOGIN = re.compile(r"errand_login_[A-Za-z0-9_-]{43}", re.ASCII)
_TOKEN = re.compile(r"errand_[A-Za-z0-9_-]{43}", re.ASCII)
_AUTHORIZATION = re.compile(r"(?:bearer|token) +(\S{1,200}) *", re.ASCII | re.IGNORECASE)


def new_token() -> str:
    """The text of a new API token: `errand_` and 32 random bytes. Shown once, never stored."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(text: str) -> str:
    """What is stored of a token: its SHA-256, in hex. 256 random bits need no slow hash."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks. A link opens one page; what `token` and `session` open is said by scopes.

    Those are the token's, or what a person may on GitHub (`login`), who comes with a cookie or, from the
    command line, with a token. A login in a browser changes something only by the forms of our own pages:
    others' pages could use it. `actions` is a workflow of GitHub Actions, see `webhooks.api.workflows`; it is
    nobody where pages are.
    """

    how: Literal["link", "token", "session", "actions"]
    key: str  # names the visitor where places are counted
    name: str | None = None  # the token's, or the workflow's
    expires: int | None = None  # when the link or the login ends, seconds since the epoch
    scopes: frozenset[str] = frozenset()
    login: str | None = None  # the GitHub account of who logged in as a person
    sender: str = ""  # that of whose doing a workflow runs

    @property
    def sees_all(self) -> bool:
        """Whether this opens all pages, and the whole API for reading."""
        return self.how != "link" and scopes.may_see_all(self.scopes)

    @property
    def admin(self) -> bool:
        """Whether this may change jobs, and see what they mask."""
        return self.how == "token" and scopes.may_change(self.scopes)

    def may_run(self, job: str) -> bool:
        """Whether pages offer this visitor to start and stop the job; what they do is asked anew then."""
        return self.how == "session" and scopes.may_run(self.scopes, job)

    @property
    def may_audit(self) -> bool:
        """Whether this may read the journal."""
        return self.how != "link" and scopes.may_audit(self.scopes)

    @property
    def may_remove(self) -> bool:
        """Whether pages offer this visitor to remove runs; asked anew then, too."""
        return self.how == "session" and scopes.may_change(self.scopes)

    @property
    def caller(self) -> Caller:
        """Who this is where runs are started and schedules held back."""
        if self.login is not None:
            return of_person(self.login, self.scopes)
        if self.how == "actions":
            return of_workflow(self.name or "", self.scopes, self.sender)
        return of_token(self.name or "", self.scopes)

    @property
    def approves(self) -> frozenset[str]:
        """The jobs that name this person as who says yes.

        Of one that they do not see otherwise, that opens its definition, and what waits for their yes.
        """
        return frozenset() if self.login is None else scopes.approved_jobs(self.scopes)

    def sees(self, job: str) -> bool:
        """Whether this may see everything of the job."""
        return self.jobs is None or job in self.jobs

    @property
    def jobs(self) -> frozenset[str] | None:
        """The jobs of which this may see everything; None for all."""
        return frozenset() if self.how == "link" else scopes.seen_jobs(self.scopes)


class Access:
    """Decides who a request comes from. `url` is the installation's public address.

    `workflow` makes a visitor of a token that GitHub signed, or raises what is to be answered. `people` gives
    the scopes of a person by their login, and may raise `RetryLater`.
    `catalog` gives today's jobs and images.
    `local` is the hash of the token by which the command line of the service's own user comes: it may do
    everything, is not stored, and ends with the process.
    """

    def __init__(
        self,
        store: Store,
        keys: links.Keys,
        *,
        url: str,
        clock: Callable[[], float],
        workflow: Callable[[str], Awaitable[Visitor]],
        people: Callable[[str], Awaitable[frozenset[str]]],
        catalog: Callable[[], Catalog],
        local: str,
    ) -> None:
        self._store = store
        self._people = people
        self._workflow = workflow
        self._local = local
        self._catalog = catalog
        self._keys = keys
        self._clock = clock
        self._origin = _origin(url)
        self.secure = url.startswith("https://")
        # The prefix makes browsers refuse the cookie from a neighbouring host or without TLS:
        # https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
        self.cookie = "__Host-errand" if self.secure else "errand"
        self._touched: dict[int, float] = {}

    async def visitor(self, request: Request) -> Visitor | None:
        """Who asks, or None: nobody known. A wrong token is nobody, whatever else came with it.

        Other schemes are somebody else's: a browser sends `Basic` on if a proxy in front asked for it.
        """
        authorization = request.headers.get("authorization", "")
        if authorization.partition(" ")[0].lower() in ("bearer", "token"):
            match = _AUTHORIZATION.fullmatch(authorization)
            return await self._by_token(match[1]) if match else None
        return await self._by_session(request) or self._by_link(request)

    async def caller(self, request: Request) -> Visitor | None:
        """The same for the API, which workflows of GitHub Actions call as well."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() in ("bearer", "token") and is_signed(text.strip(" ")):
            return await self._workflow(text.strip(" "))
        return await self.visitor(request)

    async def login(self, text: str) -> str | None:
        """The cookie value of a new session for the API token `text`; None if that opens no pages."""
        token = await self._token(text.strip())
        if token is None or not scopes.may_see_all(token.scopes):
            return None
        now = self._clock()
        name, expires = token.name, int(now) + links.SESSION_LIFE
        await self._store.write(
            lambda session: sessions.begin_with_token(session, name, expires_at=expires, now=now)
        )
        return links.session(token.hash, expires=expires, keys=self._keys)

    async def login_person(
        self, login: str, *, address: str, agent: str, prefix: str = PERSON_PREFIX
    ) -> str | None:
        """What a new login of a person is proved with; None for somebody who may see nothing here.

        The value of a cookie, or, with `LOGIN_PREFIX`, a token.
        """
        if not await self._people(login):
            return None
        value, now = prefix + secrets.token_urlsafe(32), self._clock()
        row = PersonSession(
            hash=token_hash(value),
            login=login,
            created_at=now,
            expires_at=now + links.SESSION_LIFE,
            address=address[:100],
            agent=agent[:200],
        )
        await self._store.write(lambda session: sessions.open_for(session, row))
        return value

    def ticket_login(self, ticket: str) -> str | None:
        """Whom a link from Slack would log in; None where it opens nothing, or no longer."""
        found = links.ticket_login(ticket, now=self._clock(), keys=self._keys)
        return None if found is None else found[0]

    async def use_ticket(self, ticket: str) -> str | None:
        """The same, once."""
        now = self._clock()
        found = links.ticket_login(ticket, now=now, keys=self._keys)
        if found is None:
            return None
        login, expires = found
        first = await self._store.write(
            lambda session: sessions.end(session, token_hash(ticket), expires_at=expires, now=now)
        )
        return login if first else None

    async def end_login(self, request: Request) -> bool:
        """End the login whose token the request comes with; False where that is no login's."""
        match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if match is None or not _LOGIN.fullmatch(match[1]):
            return False
        hashed, now = token_hash(match[1]), self._clock()
        return bool(
            await self._store.write(lambda session: sessions.end_person(session, hash=hashed, now=now))
        )

    def session_hash(self, request: Request) -> str | None:
        """Which of a person's logins the request comes with."""
        value = request.cookies.get(self.cookie, "")
        return token_hash(value) if _PERSON.fullmatch(value) else None

    def keep(self, response: Response, value: str) -> None:
        """Let the browser have the cookie of a login for as long as that may last."""
        response.set_cookie(
            self.cookie,
            value,
            max_age=links.SESSION_LIFE,
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def forget(self, response: Response) -> None:
        """Take the cookie back."""
        response.delete_cookie(self.cookie, secure=self.secure, httponly=True, samesite="lax")

    async def log_out(self, request: Request) -> None:
        """Ends the session that the cookie stands for, wherever else that is; nothing without one."""
        value = request.cookies.get(self.cookie)
        now = self._clock()
        if value is not None and _PERSON.fullmatch(value):
            cookie = token_hash(value)
            await self._store.write(lambda session: sessions.end_person(session, hash=cookie, now=now))
            return
        login = links.session_token(value, now=now, keys=self._keys) if value else None
        if value is None or login is None:
            return
        hashed, expires_at = login
        cookie = token_hash(value)

        def end(session: Session) -> None:
            token = tokens.by_hash(session, hashed)
            name = "" if token is None else token.name  # one that is gone has ended its logins
            sessions.log_out(session, cookie, token=name, expires_at=expires_at, now=now)

        await self._store.write(end)

    async def jobs_of(self, kind: str, number: int) -> frozenset[str]:
        """The job of a run, or (`kind` is `builds`) those whose runs wanted a build or may; none without one.

        Who may run a job may build its image from any commit, so the image's builds are no secret to them.
        """

        def read(session: Session) -> frozenset[str]:
            if kind == "builds":
                build = builds.get(session, number)
                wanting = [] if build is None else history.jobs_of_build(session, number)
                return frozenset(wanting) | (self._jobs_of(build) if build else frozenset())
            run = runs.get(session, number)
            return frozenset() if run is None else frozenset([run.job])

        return await self._store.read(read)

    def _jobs_of(self, build: Build) -> frozenset[str]:
        """The jobs that run in the image of a build, unless that is built of another repository by now."""
        image = self._catalog().images.get(build.image)
        repository = None if image is None else image.repository
        same = repository is not None and repository.casefold() == build.repository.casefold()
        return self.jobs_of_image(build.image) if same else frozenset()

    def jobs_of_image(self, image: str) -> frozenset[str]:
        """The jobs that run in an image."""
        return frozenset(job.name for job in self._catalog().jobs_of_image(image))

    def jobs_of_target(self, target: str) -> frozenset[str]:
        """The jobs that a lock on a target concerns."""
        return frozenset(job.name for job in self._catalog().jobs_of_target(target))

    async def start_of(self, number: int) -> tuple[str, str | None]:
        """The job of a run, and who started it; None where there is no such run."""
        run = await self._store.read(lambda session: runs.get(session, number))
        return ("", None) if run is None else (run.job, run.actor)

    def link(self, path: str, expires: int) -> str:
        """`path` with the signature that opens it."""
        return f"{path}?{links.sign(path, expires=expires, keys=self._keys)}"

    def is_own_form(self, request: Request) -> bool:
        """Whether a POST comes from a page of this installation, as its browser says.

        `Sec-Fetch-Site` is decisive where it is sent (TLS and localhost); `Origin` is sent by every
        browser with a POST. A request with neither comes from no browser, and from no form.
        """
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origin = request.headers.get("origin")
        return origin is not None and origin in (self._origin, _origin(str(request.url)))

    async def _by_token(self, text: str) -> Visitor | None:
        if hmac.compare_digest(token_hash(text), self._local):
            return Visitor("token", f"token:{LOCAL}", LOCAL, scopes=frozenset([scopes.ADMIN]))
        if _LOGIN.fullmatch(text):
            return await self._by_person(text, "token")
        token = await self._token(text)
        if token is None:
            return None
        return Visitor("token", f"token:{token.id}", token.name, scopes=frozenset(token.scopes))

    async def _by_session(self, request: Request) -> Visitor | None:
        value = request.cookies.get(self.cookie)
        if value is not None and _PERSON.fullmatch(value):
            return await self._by_person(value, "session")
        session = links.session_token(value, now=self._clock(), keys=self._keys) if value else None
        if session is None:
            return None
        hashed, expires = session
        cookie = token_hash(value or "")
        if await self._store.read(lambda session: sessions.has_ended(session, cookie)):
            return None
        token = await self._by_hash(hashed)
        if token is None:
            return None
        return Visitor("session", f"token:{token.id}", token.name, expires, frozenset(token.scopes))

    async def _by_person(self, value: str, how: Literal["token", "session"]) -> Visitor | None:
        """A person, as long as there is something that they may see; the right may have gone since."""
        hashed, now = token_hash(value), self._clock()
        row = await self._store.read(lambda session: sessions.of_person(session, hashed, now=now))
        if row is None:
            return None
        allowed, key = await self._people(row.login), f"person:{row.login.casefold()}"
        return Visitor(how, key, row.login, int(row.expires_at), allowed, row.login) if allowed else None

    def _by_link(self, request: Request) -> Visitor | None:
        query, path = request.url.query, request.url.path
        if not links.verify(path, query, now=self._clock(), keys=self._keys):
            return None
        page = "/".join(path.split("/")[:3])
        return Visitor("link", f"link:{page}", expires=links.link_expires(query))

    async def _token(self, text: str) -> Token | None:
        return await self._by_hash(token_hash(text)) if _TOKEN.fullmatch(text) else None

    async def _by_hash(self, hashed: str) -> Token | None:
        """The token of this hash, unless its time is up: such a one is nobody."""
        token = await self._store.read(lambda session: tokens.by_hash(session, hashed))
        if token is None or not hmac.compare_digest(token.hash, hashed):
            return None
        if token.expires_at is not None and token.expires_at <= self._clock():
            return None
        await self._touch(token)
        return token

    async def _touch(self, token: Token) -> None:
        """Notes that it was used; a page is worth more than this note, so a busy database is let be."""
        now, token_id = self._clock(), token.id or 0
        noted = max(token.last_used_at or 0.0, self._touched.get(token_id, 0.0))
        if now - noted < tokens.TOUCH_S:
            return
        self._touched = {one: at for one, at in self._touched.items() if now - at < tokens.TOUCH_S}
        self._touched[token_id] = now
        with suppress(RetryLater):
            await self._store.write(lambda session: tokens.touch(session, token_id, now=now))


def _origin(url: str) -> str:
    """`https://host` or `https://host:port`, as browsers write it in `Origin`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
