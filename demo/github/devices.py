"""Logging in from a terminal: a code is given, somebody types it on a page, and meanwhile is asked for.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
"""

import html
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from demo.github.accounts import Device
from demo.github.exchange import error, fields_of, lent
from demo.github.state import State

CODE_SECONDS = 900.0
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
HURRY = 5
"""Seconds by which the interval grows for who asks too soon."""
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_HEAD = '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Device activation</title>'


class Devices:
    """The flow of one App; who agrees is whom the form names."""

    def __init__(self, state: State, clock: Callable[[], float]) -> None:
        self._state = state
        self._client = state.client
        self._clock = clock

    def pages(self) -> list[Route]:
        """What is below the address of the site."""
        return [
            Route("/login/device/code", self.begin, methods=["POST"]),
            Route("/login/device", self.ask, methods=["GET"]),
            Route("/login/device", self.agree, methods=["POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        """A code to type."""
        fields = await fields_of(request)
        if fields.get("client_id") != self._client.id:
            return error("Not Found", 404)
        if not self._client.has_device_flow:
            return error("device_flow_disabled", 400)
        half = ["".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(2)]
        made, code = Device("-".join(half), self._clock()), secrets.token_hex(20)
        self._client.devices[code] = made
        return JSONResponse(
            {
                "device_code": code,
                "user_code": made.user_code,
                "verification_uri": f"{str(request.base_url).rstrip('/')}/login/device",
                "expires_in": int(CODE_SECONDS),
                "interval": made.interval,
            }
        )

    async def ask(self, request: Request) -> Response:
        """The page on which a code is typed."""
        login = html.escape(request.query_params.get("login", "octocat"))
        code = '<label>Code <input name="user_code"></label>'
        who = f'<label>Log in as <input name="login" value="{login}"></label>'
        buttons = '<button>Authorize</button><button name="denied" value="1">Cancel</button>'
        form = f'<form method="post" action="/login/device">{code}{who}{buttons}</form>'
        return HTMLResponse(f"{_HEAD}<h1>Device activation</h1>{form}")

    async def agree(self, request: Request) -> Response:
        """A yes or a no of who typed the code."""
        fields = {name: each[-1] for name, each in parse_qs((await request.body()).decode()).items()}
        typed = fields.get("user_code", "").upper()
        waiting = [each for each in self._client.devices.values() if each.user_code == typed]
        if not waiting or self._is_over(waiting[0]):
            return HTMLResponse(f"{_HEAD}<h1>Something went wrong</h1>", 404)
        waiting[0].is_denied = "denied" in fields
        waiting[0].login = fields["login"]
        return HTMLResponse(f"{_HEAD}<h1>Congratulations, you're all set!</h1>")

    def exchange(self, fields: dict[str, str]) -> Response:
        """A code becomes a token, once; whoever asks too soon has to ask more slowly from then on."""
        if fields.get("grant_type") != GRANT:
            return error("unsupported_grant_type")
        if fields.get("client_id") != self._client.id:
            return error("incorrect_client_credentials")
        if not self._client.has_device_flow:
            return error("device_flow_disabled")
        device = self._client.devices.get(fields.get("device_code", ""))
        if device is None:
            return error("incorrect_device_code")
        if self._is_over(device):
            return error("expired_token")
        now = self._clock()
        before, device.asked_at = device.asked_at, now
        if before is not None and now - before < device.interval:
            device.interval += HURRY
            return error("slow_down", interval=device.interval)
        if device.is_denied:
            return error("access_denied")
        if device.login is None:
            return error("authorization_pending")
        del self._client.devices[fields["device_code"]]
        return lent(self._state, device.login, now)

    def _is_over(self, device: Device) -> bool:
        return device.at + CODE_SECONDS <= self._clock()
