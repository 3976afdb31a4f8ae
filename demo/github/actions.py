"""GitHub Actions as the stand-in plays it: tokens for jobs of workflows, and the keys that sign them.

https://docs.github.com/en/actions/reference/security/oidc
"""

import functools
import itertools
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.entities import number_of
from demo.github.access import ApiError
from demo.github.endpoints import Table
from demo.github.shapes import Shapes

PATH = "/_services/token"
"""Where the issuer is, as on GitHub Enterprise Server."""
REQUEST_PATH = "/_services/pipelines/idtoken"
TOKEN_SECONDS = 300.0

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A key that signs, and its name."""

    kid: str
    private: rsa.RSAPrivateKey

    @property
    def published(self) -> Claims:
        """The public half, as the issuer publishes it."""
        described: Claims = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        described.pop("key_ops", None)
        return {**described, "kid": self.kid, "alg": "RS256", "use": "sig"}


@functools.cache
def _key(number: int) -> Key:
    """Key `number`, made once for the process."""
    return Key(f"key-{number}", rsa.generate_private_key(public_exponent=65537, key_size=2048))


class Actions:
    """The issuer. `keys` are those that it publishes, of which the last one signs."""

    def __init__(self, shapes: Shapes, clock: Callable[[], float]) -> None:
        self._shapes = shapes
        self._clock = clock
        self._numbers = itertools.count(1)
        self._granted: dict[str, Claims] = {}
        self.keys: list[Key] = []
        self.rotate()

    @property
    def issuer(self) -> str:
        """The address that tokens name."""
        return self._shapes.url + PATH

    def rotate(self, *, forget: bool = False) -> Key:
        """Sign with a new key from now on; `forget`: publish that one alone."""
        if forget:
            self.keys.clear()
        made = _key(next(self._numbers))
        self.keys.append(made)
        return made

    def grant(self, **claims: Any) -> dict[str, str]:
        """What a job with `id-token: write` finds in its environment, to ask for tokens with."""
        token = secrets.token_urlsafe(24)
        self._granted[token] = claims
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self._shapes.url}{REQUEST_PATH}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": token,
        }

    def claims(self, audience: str, **own: Any) -> Claims:
        """The claims of a push to main of acme/shop, but for `own`; None takes one away."""
        now = int(self._clock())
        repository = own.get("repository", "acme/shop")
        ref = own.get("ref", "refs/heads/main")
        made = {
            "iss": self.issuer,
            "aud": audience,
            "sub": f"repo:{repository}:ref:{ref}",
            "jti": secrets.token_hex(16),
            "iat": now,
            "nbf": now,
            "exp": now + int(TOKEN_SECONDS),
            "repository": repository,
            "repository_id": str(number_of(repository)),
            "repository_owner": repository.partition("/")[0],
            "repository_owner_id": str(number_of(repository.partition("/")[0])),
            "ref": ref,
            "ref_type": "branch",
            "event_name": "push",
            "workflow_ref": f"{repository}/.github/workflows/deploy.yml@{ref}",
            "run_id": "30433642",
            "run_attempt": "1",
            "actor": "octocat",
            "head_ref": "",
            "base_ref": "",
            **own,
        }
        return {name: value for name, value in made.items() if value is not None}

    def sign(self, claims: Mapping[str, Any], *, key: Key | None = None) -> str:
        """A token with these claims; `key` may be one that nobody publishes."""
        used = key or self.keys[-1]
        return jwt.encode(dict(claims), used.private, algorithm="RS256", headers={"kid": used.kid})

    def token(self, audience: str, **own: Any) -> str:
        """A token as GitHub would make it, but for `own` claims."""
        return self.sign(self.claims(audience, **own))

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", f"{PATH}/.well-known/openid-configuration", self._configuration),
            ("GET", f"{PATH}/.well-known/jwks", self._published),
            ("GET", REQUEST_PATH, self._request),
        ]

    async def _configuration(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/.well-known/jwks",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _published(self, request: Request) -> Response:
        return JSONResponse({"keys": [key.published for key in self.keys]})

    async def _request(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        claims = self._granted.get(token)
        if claims is None or scheme.lower() != "bearer":
            raise ApiError(401, "Bad credentials")
        audience = request.query_params.get("audience", "https://github.com/acme")
        return JSONResponse({"count": 1, "value": self.token(audience, **claims)})
