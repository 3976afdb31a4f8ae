"""What pages are made of, and who is let in to them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bot.access import links
from bot.errors import RetryLater
from bot.handlers.page_actions import PageActions
from bot.handlers.page_removals import PageRemovals
from bot.handlers.refusals import RefusalJournal
from bot.posting.relations import RelationFinder
from bot.registry import Registry
from bot.store import Store
from bot.store.watchers import ChangeFeed
from executor.logs.store import LogStore
from webhooks.access import Access, Visitor
from webhooks.api.hook_changes import HookChanges
from webhooks.api.job_changes import JobChanges
from webhooks.compression import compressed
from webhooks.pages.github_login import PersonLogins
from webhooks.pages.login import Login
from webhooks.pages.renderer import PageRenderer
from webhooks.streams import Streams


@dataclass(frozen=True, slots=True)
class GitHubEntrance:
    """What logging in with GitHub takes; `url` is the installation's, `keys` are those of links."""

    logins: PersonLogins
    url: str
    keys: links.Keys


@dataclass(frozen=True, slots=True)
class Pages:
    """What the pages are made of; `registry` knows the jobs, their descriptions and schedules.

    `is_admin` asks anew whether a person is one; `url` is the installation's public address.
    """

    store: Store
    logs: LogStore
    changes: ChangeFeed
    streams: Streams
    access: Access
    renderer: PageRenderer
    clock: Callable[[], float]
    registry: Registry
    actions: PageActions
    relations: RelationFinder
    removals: PageRemovals
    job_changes: JobChanges
    hook_changes: HookChanges
    is_admin: Callable[[str], Awaitable[bool]]
    refusals: RefusalJournal
    url: str
    github: GitHubEntrance | None = None


Handler = Callable[[Request, Visitor], Awaitable[Response]]


def guard(
    pages: Pages, login: Login, handler: Handler, *, every: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """First who asks, only then what for. `every`: for a token of whatever scope."""

    async def guarded(request: Request) -> Response:
        try:
            visitor = await pages.access.visitor(request)
            if visitor is None:
                return login.ask(request)
            if not (every or visitor.how == "link" or visitor.sees_all or visitor.login):
                return message(pages, 403, "Not with this token", "Pages show everything: they need `read`.")
            return await compressed(request, await handler(request, visitor), visitor)
        except RetryLater:
            response = message(pages, 503, "Not now", "The database does not answer. Try again in a moment.")
            response.headers["Retry-After"] = "5"
            return response

    return guarded


def message(pages: Pages, status: int, title: str, words: str, visitor: Visitor | None = None) -> Response:
    """A page that says one thing."""
    return pages.renderer.page("message.html", status, title=title, words=words, visitor=visitor)


def missing(pages: Pages, visitor: Visitor) -> Response:
    """What is said of what is not there, and of what somebody may not see."""
    return message(pages, 404, "Not here", "There is no such page, or what it showed was removed.", visitor)


def number_of(digits: str) -> int | None:
    """A positive 64-bit number in plain decimal digits, or None."""
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18 or digits.startswith("0"):
        return None
    return int(digits)
