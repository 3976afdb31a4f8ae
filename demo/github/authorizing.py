"""Logging in by the App: the page where somebody agrees, the code for it, and what it becomes.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

import base64
import hashlib
import hmac
import html
import secrets
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from demo.github.access import ApiError, invalid, not_found
from demo.github.accounts import Grant
from demo.github.devices import Devices
from demo.github.endpoints import Endpoints, Table, body_of
from demo.github.exchange import error, fields_of, lent

CODE_SECONDS = 600.0
_HEAD = '<!doctype html><html lang="en"><link rel="icon" href="data:,">'
_KEPT = ("client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method")


class Authorizing(Endpoints):
    """Who logs in is whom the form names; the query's `login` suggests somebody, as it does at GitHub."""

    def table(self) -> Table:
        """The endpoints."""
        return [("DELETE", "/applications/{client_id}/token", self.delete_token)]

    def pages(self) -> list[Route]:
        """What is below the address of the site, not of the API."""
        return [
            Route("/login/oauth/authorize", self.ask, methods=["GET"]),
            Route("/login/oauth/authorize", self.agree, methods=["POST"]),
            Route("/login/oauth/access_token", self.exchange, methods=["POST"]),
            *self._devices.pages(),
        ]

    @property
    def _devices(self) -> Devices:
        return Devices(self._state, self._clock)

    async def ask(self, request: Request) -> Response:
        """The page with a button; an address that is none of the App's gets no code."""
        query = request.query_params
        client = self._state.client
        if query.get("client_id") != client.id or not client.callbacks:
            return HTMLResponse("<h1>404</h1>", 404)
        callback = query.get("redirect_uri", client.callbacks[0])
        if callback not in client.callbacks:
            answer = {"error": "redirect_uri_mismatch", "state": query.get("state", "")}
            return RedirectResponse(f"{client.callbacks[0]}?{urlencode(answer)}", 302)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(query[name])}">'
            for name in _KEPT
            if name in query
        )
        login = html.escape(query.get("login", "octocat"))
        who = f'<label>Log in as <input name="login" value="{login}"></label>'
        buttons = '<button>Authorize</button><button name="denied" value="1">Cancel</button>'
        form = f'<form method="post" action="/login/oauth/authorize">{hidden}{who}{buttons}</form>'
        return HTMLResponse(f"{_HEAD}<title>Authorize Errand</title><h1>Authorize Errand</h1>{form}")

    async def agree(self, request: Request) -> Response:
        """Back to the App with a code, or with a no."""
        fields = {name: each[-1] for name, each in parse_qs((await request.body()).decode()).items()}
        client = self._state.client
        callback = fields.get("redirect_uri", client.callbacks[0])
        if callback not in client.callbacks or fields.get("client_id") != client.id:
            return HTMLResponse("<h1>404</h1>", 404)
        answer = {"state": fields.get("state", "")}
        challenge = fields.get("code_challenge")
        if "denied" in fields:
            answer["error"] = "access_denied"
        elif challenge is not None and fields.get("code_challenge_method") != "S256":
            answer["error"] = "invalid_request"
        else:
            answer["code"] = secrets.token_hex(10)
            grant = Grant(fields["login"], callback, challenge, self._clock())
            client.grants[answer["code"]] = grant
        return RedirectResponse(f"{callback}?{urlencode(answer)}", 302)

    async def exchange(self, request: Request) -> Response:
        """A code becomes a token, once; what is wrong is said with a status of 200."""
        fields = await fields_of(request)
        client = self._state.client
        if "grant_type" in fields or "device_code" in fields:
            return self._devices.exchange(fields)
        if fields.get("client_id") != client.id or fields.get("client_secret") != client.secret:
            return error("incorrect_client_credentials")
        grant = client.grants.get(fields.get("code", ""))
        if grant is None or grant.at + CODE_SECONDS < self._clock():
            return error("bad_verification_code")
        if fields.get("redirect_uri", grant.callback) != grant.callback:
            return error("redirect_uri_mismatch")
        del client.grants[fields["code"]]
        if grant.challenge is not None and _challenge(fields.get("code_verifier", "")) != grant.challenge:
            return error("bad_verification_code")
        return lent(self._state, grant.login, self._clock())

    async def delete_token(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/oauth-applications#delete-an-app-token"""
        client = self._state.client
        pair = base64.b64encode(f"{client.id}:{client.secret}".encode()).decode()
        authorization = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(authorization, f"Basic {pair}".encode()):
            raise ApiError(401, "Requires authentication")
        text = (await body_of(request)).get("access_token")
        if not isinstance(text, str):
            raise invalid("OauthAccess", "access_token", "missing_field")
        if request.path_params["client_id"] != client.id or text not in client.tokens:
            raise not_found()
        client.tokens.discard(text)
        self._state.tokens.pop(text, None)
        return Response(status_code=204)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
