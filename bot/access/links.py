"""Signed links and session cookies: pure, and nothing secret is stored for them.

The keys come from the secrets that the installation has anyway, so several bots agree on them and a
rotated secret goes on verifying until it is taken out of the configuration. A link covers one page:
`/runs/142` or `/builds/7` with what lies beneath it (its log and its event stream), nothing else.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from executor.spec import Secret

LINK_LIFE = 30 * 86400
"""Seconds that a posted link opens its page."""

SESSION_LIFE = 12 * 3600
"""Seconds that a login lasts."""

TICKET_LIFE = 600
"""Seconds that somebody has to follow a link that logs them in."""

Keys = tuple[bytes, ...]
"""The first signs, all verify."""

_ROUNDS = 100_000  # a posted link must not be a cheap way to guess a weak webhook secret
_PAGE = re.compile(r"(/(?:runs|builds)/[1-9][0-9]{0,18})(?:/(?:events|log|search|first-error))?", re.ASCII)
_EXPIRES = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)
_SESSION = re.compile(r"([0-9a-f]{64})\.([1-9][0-9]{0,11})\.([A-Za-z0-9_-]{43})", re.ASCII)
_TICKET = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9_-]{0,98})\.([1-9][0-9]{0,11})\.([A-Za-z0-9_-]{8,64})\.([A-Za-z0-9_-]{43})",
    re.ASCII,
)
_LONGEST_QUERY = 3072  # characters: what is searched for in a log may be escaped


def derive(secrets: Iterable[Secret]) -> Keys:
    """One key for each secret, in their order; takes some 30 ms of CPU each, so do it once, at start."""
    return tuple(
        hashlib.pbkdf2_hmac("sha256", secret.reveal().encode(), b"errand: links and sessions", _ROUNDS)
        for secret in secrets
    )


def sign(path: str, *, expires: int, keys: Keys) -> str:
    """The query string that opens `path` until `expires` (seconds since the epoch).

    Raises `ValueError` when `path` is no page of a run or a build, or when there is no key.
    """
    page = _page(path)
    if page is None or page != path:
        raise ValueError(f"not the page of a run or a build: {path!r}")
    if not keys:
        raise ValueError("no secret is configured that could sign a link")
    return f"expires={expires}&signature={_mac(keys[0], 'link', page, expires)}"


def verify(path: str, query: str, *, now: float, keys: Keys) -> bool:
    """Whether the raw query string `query` opens `path` at `now`; anything unclear does not."""
    page = _page(path)
    expires = link_expires(query)
    if page is None or expires is None or expires <= now:
        return False
    signature = dict(parse_qsl(query))["signature"]
    return _any_key(keys, signature, "link", page, expires)


def link_expires(query: str) -> int | None:
    """When the link with this query string ends, not yet verified; None if it is no link's query."""
    if len(query) > _LONGEST_QUERY:
        return None
    try:
        pairs = parse_qsl(query, max_num_fields=8)
    except ValueError:
        return None
    expires = [value for name, value in pairs if name == "expires"]
    signatures = [value for name, value in pairs if name == "signature"]
    if len(expires) != 1 or len(signatures) != 1 or not _EXPIRES.fullmatch(expires[0]):
        return None
    return int(expires[0])


def session(token_hash: str, *, expires: int, keys: Keys) -> str:
    """The cookie value of a login with the API token of this SHA-256 (hex); `ValueError` without a key.

    The hash and not the token's number: a database may give the number of a deleted token again.
    """
    if not keys:
        raise ValueError("no secret is configured that could sign a session")
    return f"{token_hash}.{expires}.{_mac(keys[0], 'session', token_hash, expires)}"


def session_token(value: str, *, now: float, keys: Keys) -> tuple[str, int] | None:
    """The hash of the token that the cookie `value` was made from, and when it ends; None if it may not."""
    match = _SESSION.fullmatch(value)
    if match is None:
        return None
    token_hash, expires, signature = match[1], int(match[2]), match[3]
    if expires <= now or not _any_key(keys, signature, "session", token_hash, expires):
        return None
    return token_hash, expires


def ticket(login: str, *, expires: int, nonce: str, keys: Keys) -> str:
    """What lets somebody log in as `login` until `expires`; whoever takes it has to see that it is so once.

    `nonce` makes each another. `ValueError` for a login that is none, or without a key.
    """
    made = f"{login}.{expires}.{nonce}"
    if not keys or not _TICKET.fullmatch(f"{made}.{'x' * 43}"):
        raise ValueError("not a ticket")
    return f"{made}.{_mac(keys[0], 'ticket', f'{login} {nonce}', expires)}"


def ticket_login(text: str, *, now: float, keys: Keys) -> tuple[str, int] | None:
    """Whom the ticket is for, and when it ends; None if it opens nothing."""
    match = _TICKET.fullmatch(text)
    if match is None:
        return None
    login, expires, nonce, signature = match[1], int(match[2]), match[3], match[4]
    if expires <= now or not _any_key(keys, signature, "ticket", f"{login} {nonce}", expires):
        return None
    return login, expires


def verifier(state: str, keys: Keys) -> str:
    """What a login with GitHub that began with `state` is proved with, 43 characters (PKCE, RFC 7636)."""
    digest = hmac.digest(keys[0], f"verifier\n{state}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _page(path: str) -> str | None:
    match = _PAGE.fullmatch(path)
    return match[1] if match else None


def _any_key(keys: Keys, signature: str, kind: str, subject: str, expires: int) -> bool:
    """Compares with every key, without stopping at the first that fits; bytes, as text may be non-ASCII."""
    fits = [
        hmac.compare_digest(_mac(key, kind, subject, expires).encode(), signature.encode("utf-8", "replace"))
        for key in keys
    ]
    return any(fits)


def _mac(key: bytes, kind: str, subject: str, expires: int) -> str:
    digest = hmac.digest(key, f"{kind}\n{subject}\n{expires}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
