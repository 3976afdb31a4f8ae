"""How a person's token is asked for and answered, whichever way somebody agreed to it."""

import json
import secrets
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github.accounts import Token
from demo.github.state import State

TOKEN_SECONDS = 8 * 3600.0
_DOCS = (
    "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/"
)


def lent(state: State, login: str, now: float) -> Response:
    """A new token of a person, as it is answered."""
    text = f"ghu_{secrets.token_hex(18)}"
    state.tokens[text] = Token(text, login, expires_at=now + TOKEN_SECONDS)
    state.client.tokens.add(text)
    return JSONResponse(
        {
            "access_token": text,
            "expires_in": int(TOKEN_SECONDS),
            "refresh_token": f"ghr_{secrets.token_hex(36)}",
            "refresh_token_expires_in": 15897600,
            "scope": "",
            "token_type": "bearer",
        }
    )


async def fields_of(request: Request) -> dict[str, str]:
    """What a request says as JSON or as a form; GitHub takes both."""
    raw = (await request.body()).decode()
    if request.headers.get("content-type", "").startswith("application/json"):
        body = json.loads(raw)
        return {name: value for name, value in body.items() if isinstance(value, str)}
    return {name: each[-1] for name, each in parse_qs(raw).items()}


def error(kind: str, status: int = 200, **more: int) -> Response:
    """How the site says that something is wrong."""
    answer = {"error": kind, "error_description": kind, "error_uri": f"{_DOCS}#{kind}"}
    return JSONResponse({**answer, **more}, status)
