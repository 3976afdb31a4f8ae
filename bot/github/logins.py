"""People who log in by the App: the browser brings a code, of which it becomes known who they are.

The token that GitHub gives for the code is used for that one question and given back at once.
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
and, for the two halves of PKCE, https://www.rfc-editor.org/rfc/rfc7636
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog

from bot.errors import Refused, RetryLater
from bot.github import answers
from bot.github.devices import DeviceCode, DeviceFlow, Pending
from bot.github.transport import Call, Transport
from executor.spec import Secret

_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_]{1,300}", re.ASCII)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AppClient:
    """The App as people log in by it; `web` is where they see GitHub, `api` its API."""

    web: str
    api: str
    id: str
    secret: Secret


class Logins:
    """Sends people to GitHub, and learns who came back."""

    def __init__(self, client: AppClient, clock: Callable[[], float]) -> None:
        self._client = client
        self._site = Transport(client.web, clock)
        self._api = Transport(client.api, clock)
        self._devices = DeviceFlow(self._site, client.web, client.id)

    async def close(self) -> None:
        """Close all connections."""
        await self._site.close()
        await self._api.close()

    def address(self, state: str, verifier: str, back: str) -> str:
        """Where GitHub asks somebody whether they want to; it sends them `back` with a code and `state`."""
        query = {
            "client_id": self._client.id,
            "redirect_uri": back,
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            "allow_signup": "false",
        }
        return f"{self._client.web}/login/oauth/authorize?{urlencode(query)}"

    async def login_of(self, code: str, verifier: str, back: str) -> str:
        """Who the code is of; raises `Refused` for one that GitHub does not know, and `RetryLater`."""
        if not _CODE.fullmatch(code):
            raise Refused("That is no code of GitHub's.")
        fields = {"code": code, "redirect_uri": back, "code_verifier": verifier}
        return await self._whose(await self._token(fields))

    async def begin_device(self) -> DeviceCode:
        """What somebody at a terminal types at GitHub; may raise `Refused` and `RetryLater`."""
        return await self._devices.begin()

    async def login_of_device(self, device_code: str) -> str | Pending:
        """Who agreed, if somebody has; `Refused` with GitHub's error as its status, and `RetryLater`."""
        token = await self._devices.ask(device_code)
        return token if isinstance(token, Pending) else await self._whose(token)

    async def _whose(self, token: Secret) -> str:
        try:
            return await self._login(token)
        finally:
            await self._give_back(token)

    async def _token(self, fields: dict[str, str]) -> Secret:
        body = {"client_id": self._client.id, "client_secret": self._client.secret.reveal(), **fields}
        call = Call("POST", "login/oauth/access_token", body=body, accept="application/json")
        data = (await self._site.send(call, None, "nobody")).data
        token = answers.text(data, "access_token")
        if token is None or not _TOKEN.fullmatch(token):
            raise Refused(f"GitHub does not take that code ({answers.text(data, 'error') or 'no token'}).")
        return Secret(token)

    async def _login(self, token: Secret) -> str:
        """Who the token is of."""
        # Its limits are that person's: nobody else waits for them.
        who = f"person {hashlib.sha256(token.reveal().encode()).hexdigest()[:16]}"
        data = (await self._api.send(Call("GET", "user", kept=False), token, who)).data
        login = answers.needed(answers.text(data, "login"), "who that is")
        if answers.login_segment(login) is None or answers.text(data, "type") not in (None, "User"):
            raise Refused("That is no account of a person.")
        return login

    async def _give_back(self, token: Secret) -> None:
        """Let the token end now; where that fails it ends by itself in some hours."""
        pair = f"{self._client.id}:{self._client.secret.reveal()}".encode()
        basic = Secret("Basic " + base64.b64encode(pair).decode())
        call = Call(
            "DELETE",
            f"applications/{self._client.id}/token",
            body={"access_token": token.reveal()},
        )
        try:
            await self._api.send(call, basic, "the client")
        except (Refused, RetryLater) as error:
            _log.info("login.token_kept", why=str(error))


def challenge(verifier: str) -> str:
    """What GitHub is told of the verifier beforehand."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
