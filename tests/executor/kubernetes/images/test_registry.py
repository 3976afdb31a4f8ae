"""Questions to a real registry, and to one that asks for tokens and misbehaves."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from executor import references
from executor.kubernetes.images.credentials import Credential
from executor.kubernetes.images.registry import Denied, Registries, Unanswered
from executor.kubernetes.settings import Registry as Settings
from tests.executor.kubernetes.places import Answer, basic, push, said, served
from tests.registry import PASSWORD, USER, Registry, certified, closed_registry, registry

__all__ = ["closed_registry", "registry"]

DIGEST = "sha256:" + "a1" * 32


async def nobody() -> Sequence[Credential]:
    return []


async def somebody() -> Sequence[Credential]:
    return [Credential("octocat", "wrong"), Credential(USER, PASSWORD)]


async def test_a_tag_has_a_digest(registry: Registry) -> None:
    digest = push(registry.host, "acme/tools", "1.4")
    found = await Registries().digest(references.parse(f"{registry.host}/acme/tools:1.4"), nobody)
    assert found == digest


async def test_an_image_for_several_platforms_is_named_by_its_index(registry: Registry) -> None:
    digest = push(registry.host, "acme/tools", "latest", user="1000:1000", platforms=True)
    registries, reference = Registries(), references.parse(f"{registry.host}/acme/tools")
    assert await registries.digest(reference, nobody) == digest
    assert await registries.user(reference, nobody) == "1000:1000"


@pytest.mark.parametrize("user", ["", "1000", "www-data"])
async def test_the_user_is_that_of_the_config(registry: Registry, user: str) -> None:
    digest = push(registry.host, "acme/tools", "1.4", user=user)
    reference = references.parse(f"{registry.host}/acme/tools@{digest}")
    assert await Registries().user(reference, nobody) == user


async def test_what_is_not_there_is_missing(registry: Registry) -> None:
    with pytest.raises(Denied, match=r"acme/none: 127.*manifest unknown") as denied:
        await Registries().digest(references.parse(f"{registry.host}/acme/none:1"), nobody)
    assert denied.value.is_missing


async def test_credentials_are_tried_one_after_the_other(closed_registry: Registry) -> None:
    digest = push(closed_registry.host, "acme/tools", "1.4", login=basic(USER, PASSWORD))
    reference = references.parse(f"{closed_registry.host}/acme/tools:1.4")
    assert await Registries().digest(reference, somebody) == digest
    assert await Registries().user(reference, somebody) == ""


async def test_without_credentials_a_closed_registry_says_no(closed_registry: Registry) -> None:
    with pytest.raises(Denied, match="authentication required") as denied:
        await Registries().digest(references.parse(f"{closed_registry.host}/acme/tools:1"), nobody)
    assert not denied.value.is_missing


async def test_a_registry_that_is_away_does_not_answer(registry: Registry) -> None:
    registry.stop()
    with pytest.raises(Unanswered, match=f"The registry {registry.host} does not answer"):
        await Registries().digest(references.parse(f"{registry.host}/acme/tools:1"), nobody)


@pytest.mark.parametrize("address", ["127.0.0.2"])  # which is none of those that are known to be this machine
async def test_a_registry_may_speak_http_where_the_file_says_so(tmp_path: Path, address: str) -> None:
    open_one = Registry(tmp_path, address=address)
    open_one.start()
    try:
        digest = push(open_one.host, "acme/tools", "1.4")
        reference = references.parse(f"{open_one.host}/acme/tools:1.4")
        known = Registries({open_one.host: Settings(http=True)})
        assert await known.digest(reference, nobody) == digest
        with pytest.raises(Unanswered):
            await Registries().digest(reference, nobody)
    finally:
        open_one.stop()


async def test_a_registry_may_have_an_authority_of_its_own(tmp_path: Path) -> None:
    ca = certified(tmp_path)
    closed = Registry(tmp_path, tls=(tmp_path / "crt.pem", tmp_path / "key.pem"))
    closed.start()
    try:
        reference = references.parse(f"{closed.host}/acme/none:1")
        with pytest.raises(Denied) as denied:
            await Registries({closed.host: Settings(ca=ca)}).digest(reference, nobody)
        assert denied.value.is_missing
        with pytest.raises(Unanswered, match=r"(?i)certificate|ssl"):
            await Registries({closed.host: Settings(ca=certified(tmp_path / "other"))}).digest(
                reference, nobody
            )
    finally:
        closed.stop()


class Tokens:
    """A registry whose tokens are given at another address, after `wanted` if that is set."""

    def __init__(self) -> None:
        self.host = ""
        self.realm = ""
        self.wanted = ""
        self.scopes: list[str] = []

    def answer(self, method: str, target: str, headers: dict[str, str]) -> Answer:
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if path == "/token":
            form = parse_qs(headers["body"]) if method == "POST" else query
            self.scopes += form["scope"]
            given = form.get("refresh_token", [headers.get("authorization", "")])[0]
            if given != self.wanted:
                return said(401, {"errors": [{"code": "UNAUTHORIZED", "message": "no"}]})
            return said(200, {"access_token" if method == "POST" else "token": "t0k3n"})
        if headers.get("authorization") == "Bearer t0k3n":
            return said(200, {}, **{"Docker-Content-Digest": DIGEST})
        realm = self.realm or f"http://{self.host}/token?account=x"
        challenge = f'Bearer realm="{realm}",service="registry",scope="ignored"'
        return said(
            401, {"errors": [{"message": "authentication required"}]}, **{"WWW-Authenticate": challenge}
        )


@pytest.fixture
def tokens() -> Iterator[Tokens]:
    made = Tokens()
    with served(made.answer) as made.host:
        yield made


async def test_a_token_is_asked_for_as_nobody_where_there_are_no_credentials(tokens: Tokens) -> None:
    reference = references.parse(f"{tokens.host}/acme/tools:1")
    assert await Registries().digest(reference, nobody) == DIGEST
    assert tokens.scopes == ["repository:acme/tools:pull"]


async def test_a_token_is_given_for_a_password(tokens: Tokens) -> None:
    tokens.wanted = basic(USER, PASSWORD)
    assert await Registries().digest(references.parse(f"{tokens.host}/acme/tools:1"), somebody) == DIGEST


async def test_a_token_is_given_for_an_identity_token(tokens: Tokens) -> None:
    tokens.wanted = "identity"

    async def found() -> Sequence[Credential]:
        return [Credential(token="identity")]

    assert await Registries().digest(references.parse(f"{tokens.host}/acme/tools:1"), found) == DIGEST


async def test_credentials_go_to_no_place_without_encryption(tokens: Tokens) -> None:
    tokens.realm = "http://registry.example.com/token"
    with pytest.raises(Unanswered, match="no place for tokens"):
        await Registries().digest(references.parse(f"{tokens.host}/acme/tools:1"), somebody)


async def test_no_header_goes_with_a_redirect_to_another_host() -> None:
    seen: list[str | None] = []

    def store(method: str, target: str, headers: dict[str, str]) -> Answer:
        seen.append(headers.get("authorization"))
        return said(200, {"config": {"User": "1000"}})

    with served(store) as other:

        def answer(method: str, target: str, headers: dict[str, str]) -> Answer:
            if "authorization" not in headers:
                return said(401, {}, **{"WWW-Authenticate": 'Basic realm="x"'})
            if "/blobs/" in target:
                return said(307, {}, Location=f"http://{other}/blob?signed=1")
            return said(200, {"config": {"digest": DIGEST}})

        with served(answer) as host:
            assert await Registries().user(references.parse(f"{host}/acme/tools:1"), somebody) == "1000"
    assert seen == [None]


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (503, b"<html>", "status 503"),
        (429, b"", "status 429"),
        (200, b"[" + b" " * (5 << 20), "more than 4 MiB"),
    ],
)
async def test_what_may_be_better_later_is_no_refusal(status: int, body: bytes, says: str) -> None:
    with served(lambda *_: (status, {}, body)) as host, pytest.raises(Unanswered, match=says):
        await Registries().digest(references.parse(f"{host}/acme/tools:1"), nobody)


async def test_the_words_of_a_refusal_are_one_plain_line() -> None:
    refusal = said(403, {"errors": [{"code": "DENIED", "message": "no\n\x1b[31mway"}, {"code": "BANNED"}]})
    with served(lambda *_: refusal) as host, pytest.raises(Denied, match="no way; BANNED") as denied:
        await Registries().digest(references.parse(f"{host}/acme/tools:1"), nobody)
    assert not denied.value.is_missing


@pytest.mark.parametrize(
    "body", [b"[]", b"nonsense", b'{"manifests": 1}', b'{"manifests": [{"digest": "../x"}]}', b"{}"]
)
async def test_a_user_that_cannot_be_read_is_none(body: bytes) -> None:
    with served(lambda *_: (200, {}, body)) as host, pytest.raises(Unanswered, match="says what no registry"):
        await Registries().user(references.parse(f"{host}/acme/tools:1"), nobody)


async def test_a_registry_without_the_header_has_its_manifest_hashed() -> None:
    with served(lambda *_: (200, {}, b"{}")) as host:
        found = await Registries().digest(references.parse(f"{host}/acme/tools:1"), nobody)
    assert found == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


async def test_a_registry_that_sends_elsewhere_again_and_again_is_not_followed() -> None:
    with (
        served(lambda *_: said(307, {}, Location="/again")) as host,
        pytest.raises(Unanswered, match="status 307"),
    ):
        await Registries().digest(references.parse(f"{host}/acme/tools:1"), nobody)
