"""Who speaks to GitHub: a GitHub App through its installations, or one token.

An App proves itself with a JWT of its private key and is given tokens that last an hour:
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.caches import ExpiringCache
from bot.errors import ConfigError, Refused
from bot.github.answers import login_segment, moment, needed, number, repository_path, text
from bot.github.transport import Answer, Call, Transport
from executor.spec import Secret

JWT_SECONDS = 540  # GitHub allows ten minutes from `iat`, which lies a minute back for wrong clocks
JWT_SKEW = 60.0
RENEW_BEFORE = 600.0  # seconds of life a token has at least when it is handed out
INSTALLATION_SECONDS = 3600.0  # how long the installation of a repository is believed
_ORGANIZATION = "@"
_TOKEN_SECONDS = 3600.0  # GitHub's own, where an answer does not say


@dataclass(frozen=True, slots=True)
class Credential:
    """What a call carries. `who` names it in errors and is what GitHub counts limits by."""

    who: str
    token: Secret | None


def _path(place: str) -> str:
    """Of a repository, or of an organization with `@` before its name."""
    if not place.startswith(_ORGANIZATION):
        return repository_path(place)
    segment = login_segment(place.removeprefix(_ORGANIZATION))
    if segment is None:
        raise Refused("that is no name of an organization", status="invalid_organization")
    return f"orgs/{segment}"


def _private_key(secret: Secret) -> RSAPrivateKey:
    """The key from its PEM; an environment variable may hold `\\n` for its line ends."""
    pem = secret.reveal().strip().replace("\\n", "\n")
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("github.private_key: expected the App's RSA private key as PEM, without a password")
    return key


class App:
    """A GitHub App: finds installations and keeps their tokens, each fetched once however many ask."""

    def __init__(
        self, app_id: str, private_key: Secret, transport: Transport, clock: Callable[[], float]
    ) -> None:
        self.app_id = app_id
        self._key = _private_key(private_key)
        self._transport = transport
        self._clock = clock
        self._jwt: tuple[Secret, float] | None = None
        self._installations: ExpiringCache[tuple[str, str], int] = ExpiringCache(clock)
        self._tokens: ExpiringCache[tuple[int, str], Secret] = ExpiringCache(clock)

    async def itself(self) -> Credential:
        """The App as such, for the few calls that are made as the App."""
        now = self._clock()
        if self._jwt is None or self._jwt[1] <= now + JWT_SKEW:
            start = int(now - JWT_SKEW)
            claims = {"iss": self.app_id, "iat": start, "exp": start + JWT_SECONDS}
            signed = await asyncio.to_thread(jwt.encode, claims, self._key, algorithm="RS256")
            self._jwt = (Secret(signed), float(start + JWT_SECONDS))
        return Credential("the app", self._jwt[0])

    async def close(self) -> None:
        """End what is being fetched."""
        await self._installations.close()
        await self._tokens.close()

    async def for_repository(self, repository: str, account: str = "") -> Credential:
        """The installation that has `repository`, with a token for all that it may do.

        `account` is whose it is as far as is known: with another one it has another installation.
        """
        return await self._with_token(repository, account, None)

    async def for_clone(self, repository: str, account: str = "") -> Credential:
        """A token that can read the contents of `repository` and nothing else."""
        return await self._with_token(repository, account, repository)

    async def for_organization(self, name: str) -> Credential:
        """The installation on an organization, with a token for all that it may do."""
        return await self._with_token(f"{_ORGANIZATION}{name}", "", None)

    def forget_organization(self, name: str, token: Secret | None) -> None:
        """GitHub does not know the token any more."""
        self.forget(f"{_ORGANIZATION}{name}", token=token)

    def forget(self, repository: str, account: str = "", *, token: Secret | None = None) -> None:
        """GitHub does not know what we hold of `repository` any more: look again next time."""
        installation = self._installations.peek((repository, account))
        self._installations.drop((repository, account))
        if installation is not None and token is not None:
            for key in ((installation, ""), (installation, repository)):
                if self._tokens.peek(key) == token:
                    self._tokens.drop(key)

    async def _with_token(self, repository: str, account: str, only: str | None) -> Credential:
        place = (repository, account)
        for attempt in (1, 2):
            installation = await self._installations.get(place, lambda: self._find(repository))
            try:
                token = await self._tokens.get(
                    (installation, only or ""),
                    lambda: self._fetch(installation, only),  # noqa: B023
                )
            except Refused as refused:
                # A reinstalled App has a new number; whoever asks a second time knows it.
                if refused.status != 404 or attempt == 2:
                    raise
                self._installations.drop(place)
                continue
            return Credential(f"installation {installation}", token)
        raise AssertionError("unreachable")

    async def _find(self, repository: str) -> tuple[int, float]:
        try:
            answer = await self._as_app(Call("GET", _path(repository) + "/installation"))
        except Refused as refused:
            if refused.status == 404:
                sentence = f"the GitHub App is not installed on {repository}"
                raise Refused(sentence, status="not_installed") from None
            raise
        found = needed(number(answer.data, "id"), "the installation's id")
        return found, self._clock() + INSTALLATION_SECONDS

    async def _fetch(self, installation: int, only: str | None) -> tuple[Secret, float]:
        body: dict[str, object] = {}
        if only is not None:
            which: dict[str, object] = {"repositories": [only.partition("/")[2]]}
            if only.startswith("#"):
                which = {"repository_ids": [int(only[1:])]}
            body = {**which, "permissions": {"contents": "read"}}
        answer = await self._as_app(
            Call("POST", f"app/installations/{installation}/access_tokens", body=body)
        )
        token = needed(text(answer.data, "token"), "the token")
        ends = moment(text(answer.data, "expires_at")) or self._clock() + _TOKEN_SECONDS
        return Secret(token), ends - RENEW_BEFORE

    async def _as_app(self, call: Call) -> Answer:
        credential = await self.itself()
        return await self._transport.send(call, credential.token, credential.who)
