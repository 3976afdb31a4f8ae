"""Who a workflow is: by a token of the issuer, signed with a key of the issuer, meant for us, and in time."""

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bot.access.workflows import Workflow
from bot.errors import RetryLater
from bot.github import Keys, Oidc, Untrusted, is_signed
from bot.github.issuer import BELIEVED, FRESH, PAUSE
from bot.github.oidc import LEEWAY, LIFE, LONGEST
from demo.entities import number_of
from demo.github import GitHubStandIn
from demo.github.actions import Key
from demo.standins import serving

URL = "https://errand.example.com"
JWKS = "/.well-known/jwks"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """An issuer, who verifies its tokens, and the time of both."""

    github: GitHubStandIn
    oidc: Oidc
    clock: Clock

    def token(self, **claims: Any) -> str:
        return self.github.actions.token(URL, **claims)

    @property
    def asked(self) -> int:
        return self.github.count(JWKS)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    clock = Clock()
    github = GitHubStandIn(clock=clock)
    async with serving(github) as url:
        github.url = url
        oidc = Oidc(Keys(github.actions.issuer, clock=clock), audience=URL, clock=clock)
        yield Place(github, oidc, clock)
        await oidc.close()


async def test_token_of_the_issuer_says_who_the_workflow_is(place: Place) -> None:
    found = await place.oidc.workflow(place.token(environment="production"))
    assert found == Workflow(
        repository="acme/shop",
        repository_id=str(number_of("acme/shop")),
        ref="refs/heads/main",
        event="push",
        workflow_ref="acme/shop/.github/workflows/deploy.yml@refs/heads/main",
        environment="production",
        owner_id=str(number_of("acme")),
        sender="octocat",
    )
    assert found.name == "actions:acme/shop@refs/heads/main"


async def test_keys_are_asked_for_once_however_often_a_token_is_used(place: Place) -> None:
    token = place.token()
    for _ in range(3):
        await place.oidc.workflow(token)
    assert place.asked == 1


async def test_token_that_is_changed_anywhere_proves_nothing(place: Place) -> None:
    token = place.token()
    for at, old in enumerate(token):
        changed = token[:at] + ("A" if old != "A" else "Q") + token[at + 1 :]
        try:
            await place.oidc.workflow(changed)
        except Untrusted:
            continue
        # The last character of a part has bits that mean nothing.
        assert [_bytes(part) for part in changed.split(".")] == [_bytes(part) for part in token.split(".")]


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "audience": ({"aud": "https://other.example.com"}, "meant for somebody else"),
    "more audiences": ({"aud": [URL, "https://other.example.com"]}, "meant for somebody else"),
    "no audience": ({"aud": None}, "meant for somebody else"),
    "issuer": ({"iss": "https://token.example.com"}, "another issuer"),
    "no issuer": ({"iss": None}, "another issuer"),
    "no end": ({"exp": None}, "exp is missing"),
    "end that is none": ({"exp": True}, "exp is missing"),
    "no beginning": ({"iat": None}, "iat is missing"),
    "no repository": ({"repository_id": None}, "repository_id is missing"),
    "number of a repository": ({"repository_id": "x"}, "names no repository"),
    "path for a repository": ({"repository": "acme/shop/../other"}, "names no repository"),
    "lines in a ref": ({"ref": "refs/heads/main\nadmin"}, "ref is missing or unreadable"),
    "long ref": ({"ref": "refs/heads/" + "x" * 400}, "ref is missing or unreadable"),
}


@pytest.mark.parametrize(("claims", "why"), WRONG.values(), ids=WRONG.keys())
async def test_token_with_a_wrong_claim_proves_nothing(
    place: Place, claims: dict[str, Any], why: str
) -> None:
    with pytest.raises(Untrusted, match=why):
        await place.oidc.workflow(place.token(**claims))


async def test_token_counts_from_its_beginning_to_its_end(place: Place) -> None:
    token = place.token()
    place.clock.now += 300 + LEEWAY - 1
    await place.oidc.workflow(token)
    place.clock.now += 2
    with pytest.raises(Untrusted, match="expired"):
        await place.oidc.workflow(token)
    place.clock.now -= 300 + 2 * LEEWAY + 2
    with pytest.raises(Untrusted, match="not valid yet"):
        await place.oidc.workflow(token)


async def test_token_that_is_good_for_days_is_none_of_githubs(place: Place) -> None:
    with pytest.raises(Untrusted, match="too long"):
        await place.oidc.workflow(place.token(exp=int(place.clock.now + LIFE + 1)))


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_unsigned_token_proves_nothing(place: Place) -> None:
    claims = place.github.actions.claims(URL)
    for algorithm in ("none", "None", "NONE", ""):
        header = {"alg": algorithm, "kid": place.github.actions.keys[-1].kid}
        for signature in ("", "AAAA"):
            with pytest.raises(Untrusted, match=r"RS256|no token"):
                await place.oidc.workflow(f"{_part(header)}.{_part(claims)}.{signature}")
    assert place.asked == 0


async def test_token_signed_with_the_public_key_as_a_password_proves_nothing(place: Place) -> None:
    """PyJWT refuses to sign so, which makes it worth doing by hand."""
    key = place.github.actions.keys[-1]
    pem = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for algorithm in ("HS256", "RS256"):
        header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
        signed = f"{_part(header)}.{_part(place.github.actions.claims(URL))}"
        made = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
        with pytest.raises(Untrusted):
            await place.oidc.workflow(f"{signed}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}")


async def test_key_that_the_token_brings_along_is_not_looked_at(place: Place) -> None:
    own = Key(place.github.actions.keys[-1].kid, rsa.generate_private_key(65537, 2048))
    headers = {"kid": own.kid, "jwk": own.published, "jku": f"{URL}/keys", "x5u": f"{URL}/keys"}
    token = jwt.encode(place.github.actions.claims(URL), own.private, algorithm="RS256", headers=headers)
    with pytest.raises(Untrusted, match="signature"):
        await place.oidc.workflow(token)
    assert [request.path for request in place.github.requests] == ["/_services/token" + JWKS]


async def test_token_that_demands_what_nobody_here_knows_proves_nothing(place: Place) -> None:
    """https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11"""
    key = place.github.actions.keys[-1]
    headers: list[dict[str, object]] = [{"crit": ["purpose"], "purpose": "x"}, {"crit": []}, {"crit": "exp"}]
    for header in headers:
        signed = (
            f"{_part({'alg': 'RS256', 'kid': key.kid, **header})}.{_part(place.github.actions.claims(URL))}"
        )
        made = key.private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        with pytest.raises(Untrusted):
            await place.oidc.workflow(f"{signed}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}")


async def test_other_algorithm_with_the_right_key_proves_nothing(place: Place) -> None:
    key = place.github.actions.keys[-1]
    for algorithm in ("RS512", "PS256"):
        token = jwt.encode(
            place.github.actions.claims(URL), key.private, algorithm=algorithm, headers={"kid": key.kid}
        )
        with pytest.raises(Untrusted, match="RS256"):
            await place.oidc.workflow(token)


@pytest.mark.parametrize(
    "text", ["a.b.c", "....", "e30.e30.", "e30.e30.AAAA", "é.b.c", "x" * (LONGEST + 1), "[[[.[[[.x", ""]
)
async def test_what_is_no_token_proves_nothing_and_asks_nobody(place: Place, text: str) -> None:
    with pytest.raises(Untrusted):
        await place.oidc.workflow(text)
    assert place.asked == 0


async def test_changed_token_proves_nothing(place: Place) -> None:
    header, _, signature = place.token().split(".")
    other = place.token(repository="acme/other").split(".")[1]
    with pytest.raises(Untrusted, match="signature"):
        await place.oidc.workflow(f"{header}.{other}.{signature}")


# Keys ---------------------------------------------------------------------------------------------


async def test_new_key_is_found_when_it_is_first_used(place: Place) -> None:
    await place.oidc.workflow(place.token())
    place.github.actions.rotate()
    place.clock.now += PAUSE
    await place.oidc.workflow(place.token())
    assert place.asked == 2


async def test_key_that_is_published_no_more_counts_no_more(place: Place) -> None:
    old = place.github.actions.keys[-1]
    await place.oidc.workflow(place.token())
    place.github.actions.rotate(forget=True)
    place.clock.now += FRESH + 1
    token = place.github.actions.sign(place.github.actions.claims(URL), key=old)
    with pytest.raises(Untrusted, match="no such key"):
        await place.oidc.workflow(token)


async def test_unknown_keys_make_nobody_ask_the_issuer_time_and_again(place: Place) -> None:
    await place.oidc.workflow(place.token())
    for number in range(20):
        stranger = Key(f"stranger-{number}", place.github.actions.keys[-1].private)
        token = place.github.actions.sign(place.github.actions.claims(URL), key=stranger)
        with pytest.raises(Untrusted, match="no such key"):
            await place.oidc.workflow(token)
    assert place.asked == 1
    place.clock.now += PAUSE
    with pytest.raises(Untrusted, match="no such key"):
        await place.oidc.workflow(place.github.actions.sign(place.github.actions.claims(URL), key=stranger))
    assert place.asked == 2


async def test_known_keys_count_for_a_day_while_the_issuer_is_away(place: Place) -> None:
    await place.oidc.workflow(place.token())
    place.github.fail(JWKS, 503, times=100)
    place.clock.now += FRESH + 1
    await place.oidc.workflow(place.token())
    assert place.asked == 2
    place.clock.now += BELIEVED
    with pytest.raises(RetryLater, match="keys of GitHub Actions"):
        await place.oidc.workflow(place.token())


GONE: dict[str, dict[str, Any]] = {
    "error": {"status": 500},
    "redirect": {"status": 302, "headers": {"Location": "https://keys.example.com/"}},
    "no JSON": {"status": 200, "body": b"<html>"},
    "no keys": {"status": 200, "body": {"keys": []}},
    "another shape": {"status": 200, "body": [1]},
    "too large": {"status": 200, "body": {"keys": [], "x": "x" * 300_000}},
    "deep": {"status": 200, "body": b"[" * 100_000},
    "passwords": {"status": 200, "body": {"keys": [{"kty": "oct", "kid": "key-1", "k": "AAAA"}]}},
}


@pytest.mark.parametrize("answer", GONE.values(), ids=GONE.keys())
async def test_without_keys_the_door_is_closed_until_they_are_there(
    place: Place, answer: dict[str, Any]
) -> None:
    place.github.fail(JWKS, **answer)
    for _ in range(5):
        with pytest.raises(RetryLater, match="keys of GitHub Actions"):
            await place.oidc.workflow(place.token())
    assert place.asked == 1
    place.clock.now += PAUSE
    await place.oidc.workflow(place.token())


async def test_compressed_answer_is_not_unpacked(place: Place) -> None:
    body = gzip.compress(json.dumps({"keys": [place.github.actions.keys[-1].published]}).encode())
    place.github.fail(JWKS, 200, body=body, headers={"Content-Encoding": "gzip"})
    with pytest.raises(RetryLater, match="keys of GitHub Actions"):
        await place.oidc.workflow(place.token())


async def test_short_key_is_not_believed(place: Place) -> None:
    short = Key("short", rsa.generate_private_key(65537, 1024))
    signing = Key("short", place.github.actions.keys[-1].private)
    place.github.actions.keys.append(short)
    with pytest.raises(Untrusted, match="no such key"):
        await place.oidc.workflow(place.github.actions.sign(place.github.actions.claims(URL), key=signing))


def test_own_token_is_told_from_a_signed_one(place: Place) -> None:
    assert is_signed(place.token())
    assert not is_signed("errand_" + "x" * 43)
