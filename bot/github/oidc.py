"""Proves who a workflow of GitHub Actions is, by the token that GitHub signed for it.

Only RS256, only keys that the issuer publishes, found by the token's `kid`: what else the token's own header
says of keys is not looked at. What can be refused without a key is refused first, so that strangers cannot
make Errand ask the issuer. https://docs.github.com/en/actions/reference/security/oidc
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from jwt.types import Options

from bot.access.workflows import Workflow
from bot.github.issuer import Keys

LONGEST = 8192
"""Characters of one token; GitHub's have about two thousand."""

LEEWAY = 60.0
"""Seconds by which the issuer's clock and ours may differ."""

LIFE = 3600.0
"""Seconds that a token may be good for, and be used as often as one likes; GitHub's are for minutes."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}", re.ASCII)
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(?:\[bot\])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_TEXT = 400  # characters of one claim that is read


class Untrusted(Exception):
    """The token proves nothing; the sentence says why, and holds nothing that was signed."""


def is_signed(text: str) -> bool:
    """Whether `text` looks like a JSON Web Token, and so like no token of Errand's own."""
    return _SHAPE.fullmatch(text) is not None


class Oidc:
    """Verifies tokens signed with `keys` and meant for `audience`; `clock` is the machine's."""

    def __init__(self, keys: Keys, *, audience: str, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._audience = audience
        self._clock = clock

    async def workflow(self, token: str) -> Workflow:
        """Who has the token; `Untrusted` says what is wrong with it, `RetryLater` that keys cannot be had."""
        if len(token) > LONGEST:
            raise Untrusted("the token is too long")
        kid, claims = _unproven(token)
        self._check(claims)
        key = await self._keys.find(kid)
        if key is None:
            raise Untrusted("the issuer has no such key")
        try:
            claims = jwt.decode(token, key, algorithms=["RS256"], options=_NO_CLAIMS)
        except (jwt.PyJWTError, ValueError):
            raise Untrusted("the signature is not the issuer's") from None
        self._check(claims)  # fetching a key takes time
        return _workflow(claims)

    async def close(self) -> None:
        """Close the connections."""
        await self._keys.close()

    def _check(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self._keys.issuer:
            raise Untrusted("it is of another issuer")
        if claims.get("aud") not in (self._audience, [self._audience]):
            raise Untrusted("it is meant for somebody else: its audience has to be this installation's url")
        now = self._clock()
        issued, ends = _moment(claims, "iat"), _moment(claims, "exp")
        begins = _moment(claims, "nbf") if "nbf" in claims else issued
        if ends <= now - LEEWAY:
            raise Untrusted("it has expired")
        if max(issued, begins) > now + LEEWAY:
            raise Untrusted("it is not valid yet")
        if ends - issued > LIFE:
            raise Untrusted("it is good for too long")


_NO_CLAIMS: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""They are checked here, by a clock that is given."""


def _unproven(token: str) -> tuple[str, dict[str, Any]]:
    """The `kid` and the claims as the token says them."""
    try:
        whole = jwt.decode_complete(token, options={**_NO_CLAIMS, "verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Untrusted("it is no token of GitHub Actions") from None
    header, claims = whole["header"], whole["payload"]
    if header.get("alg") != "RS256":
        raise Untrusted("it is not signed with RS256")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _TEXT:
        raise Untrusted("it does not name a key")
    return kid, claims


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
        raise Untrusted(f"{name} is missing or no time")
    return float(value)


def _workflow(claims: Mapping[str, Any]) -> Workflow:
    repository, number = _text(claims, "repository"), _text(claims, "repository_id")
    if not _REPOSITORY.fullmatch(repository) or not _is_number(number):
        raise Untrusted("it names no repository")
    owner, sender = claims.get("repository_owner_id"), claims.get("actor")
    return Workflow(
        repository=repository,
        repository_id=number,
        owner_id=owner if isinstance(owner, str) and _is_number(owner) else None,
        ref=_text(claims, "ref"),
        event=_text(claims, "event_name"),
        workflow_ref=_text(claims, "workflow_ref"),
        environment=_text(claims, "environment") if "environment" in claims else None,
        sender=sender if isinstance(sender, str) and _LOGIN.fullmatch(sender) else "",
    )


def _is_number(text: str) -> bool:
    """Whether it is one that can be stored."""
    return _NUMBER.fullmatch(text) is not None and 0 < int(text) < 1 << 62


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or len(value) > _TEXT or not value.isprintable():
        raise Untrusted(f"{name} is missing or unreadable")
    return value
