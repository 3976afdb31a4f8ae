"""How the command line logs somebody in: it asks Errand, which asks GitHub until they have agreed there.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Protocol

import structlog
from pydantic import AfterValidator, Field
from starlette.requests import Request

from bot.access import links, scopes
from bot.errors import ProblemType, Refused, RetryLater
from bot.github import DeviceCode, Pending
from webhooks.access import LOGIN_PREFIX, Access, token_hash
from webhooks.api.operation import ApiRequest, Operation, Reply
from webhooks.api.problems import Problem, away
from webhooks.api.requests import Body, printable
from webhooks.api.shapes import Moment, Shape
from webhooks.failures import MINUTE, Failures

INTERVAL = 5
"""Seconds between two questions for the same code, unless GitHub says another number."""
_CODES = 1024
"""Codes whose next question is waited for."""

log = structlog.get_logger()


class DeviceLogins(Protocol):
    """`bot.github.logins.Logins`."""

    async def begin_device(self) -> DeviceCode:
        """A code for somebody to type; may raise `Refused` and `RetryLater`."""

    async def login_of_device(self, device_code: str) -> str | Pending:
        """Who typed it; raises `Refused` with GitHub's error as its status, and `RetryLater`."""


class LoginCode(Shape):
    """What somebody types where, within so many seconds; and how many lie between two questions for it."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int


class LoginPending(Shape):
    """Nobody has agreed yet: seconds to wait before the next question."""

    interval: int


class LoginToken(Shape):
    """A login, with its token, this once."""

    token: str
    login: str
    expires_at: Moment


class Whoami(Shape):
    """Whose token it is. `login` is a person's account on GitHub; only of a login the end is told."""

    name: str
    login: str | None
    scopes: list[str]
    expires_at: Moment | None


class LoginQuestion(Body):
    """Whether somebody has agreed; `machine` is what the list of logins calls where they are."""

    device_code: str = Field(pattern=r"^[A-Za-z0-9_-]{20,100}$")
    machine: Annotated[str, Field(max_length=100), AfterValidator(printable)] = ""


class OpenGuard:
    """Lets everybody in: who they are is what these routes find out."""

    async def identify(self, request: Request) -> str:
        """From where they come."""
        return request.client.host if request.client else ""

    async def authorize(self, row: Operation, request: Request, visitor: str) -> None:
        """Nothing is needed."""

    async def refused(self, row: Operation, request: Request, visitor: str, rule: str) -> None:
        """Nobody is known here, so nobody is named."""


class LoginHandlers:
    """For whoever has a token."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def show_login(self, request: ApiRequest) -> Whoami:
        """Whose token this is, and what it may do."""
        visitor = request.visitor
        found = scopes.without_approving(visitor.scopes)
        names = scopes.ordered(found) if found else []
        return Whoami(name=visitor.caller.name, login=visitor.login, scopes=names, expires_at=visitor.expires)

    async def end_login(self, request: ApiRequest) -> None:
        """Ends the login whose token this is."""
        if not await self._access.end_login(request.http):
            raise Problem(
                409,
                "This is no token of a login; `errand token delete` ends others.",
                kind=ProblemType.NO_LOGIN,
            )
        log.info("session.ended", login=request.visitor.login, by=request.visitor.caller.name)


DeviceRequest = ApiRequest[None, str]


class DeviceHandlers:
    """Whoever gets here may be anybody, so what they cost is bounded by their address and by the code."""

    def __init__(self, logins: DeviceLogins | None, access: Access, clock: Callable[[], float]) -> None:
        self._logins = logins
        self._access = access
        self._clock = clock
        self._begun = Failures(clock)
        self._next: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def begin_login(self, request: ApiRequest[None, str]) -> LoginCode:
        """Begins a login from the command line."""
        logins = self._required()
        if self._begun.too_many(request.visitor):
            raise Problem(429, "Too many logins were begun. Wait a minute.", {"Retry-After": f"{MINUTE:.0f}"})
        self._begun.add(request.visitor)
        try:
            code = await logins.begin_device()
        except Refused as refused:
            log.warning("login.refused", why=str(refused))
            raise _impossible(refused) from None
        except RetryLater as later:
            log.warning("login.later", why=str(later))
            raise away("GitHub does not answer now; try again soon.") from None
        self._wait(token_hash(code.device_code), code.interval)
        return LoginCode.of(code)

    async def finish_login(self, request: ApiRequest[LoginQuestion, str]) -> Reply[LoginToken | LoginPending]:
        """Gives the token of a login, once somebody has agreed to it."""
        logins, code = self._required(), request.body.device_code
        key, now = token_hash(code), self._clock()
        due, interval = self._next.get(key, (now, INTERVAL))
        if now < due:
            return Reply(LoginPending(interval=interval), 202)
        self._wait(key, interval)
        try:
            login = await logins.login_of_device(code)
            if isinstance(login, Pending):
                interval = login.interval or interval
                self._wait(key, interval)
                return Reply(LoginPending(interval=interval), 202)
            token = await self._access.login_person(
                login, address=request.visitor, agent=_agent(request.body.machine), prefix=LOGIN_PREFIX
            )
        except Refused as refused:
            log.warning("login.refused", why=str(refused))
            raise _ended(refused) from None
        except RetryLater as later:
            log.warning("login.later", why=str(later))
            return Reply(LoginPending(interval=interval), 202)
        if token is None:
            raise Problem(
                403, f"{login} may run nothing here, and no yes is theirs, so there is nothing to log in to."
            )
        log.info("login.person", login=login)
        ends = self._clock() + links.SESSION_LIFE
        return Reply(LoginToken(token=token, login=login, expires_at=ends), 201)

    def _required(self) -> DeviceLogins:
        if self._logins is None:
            raise Problem(
                409,
                "Nobody logs in here with GitHub: github.client_id and github.client_secret are not set.",
                kind=ProblemType.NO_LOGIN,
            )
        return self._logins

    def _wait(self, key: str, interval: int) -> None:
        self._next.pop(key, None)
        self._next[key] = self._clock() + interval, interval
        if len(self._next) > _CODES:
            self._next.popitem(last=False)


def _agent(machine: str) -> str:
    return f"errand login on {machine}" if machine else "errand login"


def _impossible(refused: Refused) -> Problem:
    """Why no login can begin, for who runs Errand to mend."""
    words: dict[int | str, str] = {
        "device_flow_disabled": "The App does not allow it: its settings on GitHub have Enable Device Flow.",
        404: "GitHub does not know github.client_id.",
    }
    return Problem(409, words.get(refused.status or "", "GitHub begins no login."), kind=ProblemType.NO_LOGIN)


def _ended(refused: Refused) -> Problem:
    """Why a login that was begun comes to nothing."""
    words: dict[int | str, str] = {
        "access_denied": "GitHub was told no, so nobody is logged in.",
        "expired_token": "The code was not typed in time. Begin again.",
        "device_flow_disabled": "The App does not allow it any more. Its settings on GitHub say so.",
    }
    sentence = words.get(
        refused.status or "", "GitHub does not know this code, or not who typed it. Begin again."
    )
    return Problem(409, sentence, kind=ProblemType.LOGIN_ENDED)
