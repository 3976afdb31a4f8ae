"""Tokens over the API: made, listed and ended by admins; expired and broken ones are nobody's."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from bot.store import tokens
from tests.webhooks.installation import NOW, Installation, client, here
from webhooks.access import new_token, token_hash
from webhooks.api import guard

__all__ = ["client", "here"]


async def with_token(
    here: Installation, client: httpx.AsyncClient, *scopes: str, lasts: float | None = None
) -> str:
    """Let `client` ask with a new token; gives its text."""
    text = new_token()
    ends = None if lasts is None else NOW + lasts
    await here.store.write(
        lambda session: tokens.add(
            session, name=f"t{text[-6:]}", hash=token_hash(text), now=NOW, scopes=scopes, expires_at=ends
        )
    )
    client.headers["authorization"] = f"Bearer {text}"
    return text


async def test_token_is_made_shown_once_and_ended(here: Installation, client: httpx.AsyncClient) -> None:
    await with_token(here, client, "admin")
    made = await client.post(
        "/api/tokens", json={"name": "deploys", "scopes": ["run:migrate", "read", "read"], "expires": "90d"}
    )
    assert made.status_code == 201, made.text
    assert made.headers["location"].endswith("/api/tokens/deploys")
    text = made.json().pop("token")
    shown = {key: value for key, value in made.json().items() if key != "token"}
    assert shown == {
        "name": "deploys",
        "scopes": ["read", "run:migrate"],
        "created_at": "2023-11-14T22:13:20.000Z",
        "expires_at": "2024-02-12T22:13:20.000Z",
        "last_used_at": None,
    }
    listed = await client.get("/api/tokens")
    assert shown in listed.json()["tokens"]
    assert text not in listed.text
    mine = {"authorization": f"token {text}"}
    assert (await client.get("/api/runs", headers=mine)).status_code == 200
    assert (await client.delete("/api/tokens/deploys")).status_code == 204
    assert (await client.get("/api/runs", headers=mine)).status_code == 401


async def test_name_is_taken_once(here: Installation, client: httpx.AsyncClient) -> None:
    await with_token(here, client, "admin")
    assert (await client.post("/api/tokens", json={"name": "ci"})).json()["scopes"] == ["read"]
    assert (await client.post("/api/tokens", json={"name": "ci"})).status_code == 409


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "#/name"),
        ({"name": ""}, "#/name"),
        ({"name": "a/b"}, "#/name"),
        ({"name": ".."}, "#/name"),
        ({"name": "a\nb"}, "#/name"),
        ({"name": "a", "scopes": []}, "#/scopes"),
        ({"name": "a", "scopes": ["read", "write"]}, "#/scopes/1"),
        ({"name": "a", "scopes": "read"}, "#/scopes"),
        ({"name": "a", "expires": "soon"}, "#/expires"),
        ({"name": "a", "expires": 90}, "#/expires"),
        ({"name": "a", "expires": "0s"}, "#/expires"),
        ({"name": "a", "expires": "99999d"}, "#/expires"),
        ({"name": "a", "admin": True}, "#/admin"),
    ],
)
async def test_mistake_is_told_with_its_place(
    here: Installation, client: httpx.AsyncClient, body: dict[str, object], place: str
) -> None:
    await with_token(here, client, "admin")
    answer = await client.post("/api/tokens", json=body)
    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [place]


@pytest.mark.parametrize("scope", ["read", "run:*", "run:migrate", "exec"])
async def test_only_an_admin_has_anything_to_do_with_tokens(
    here: Installation, client: httpx.AsyncClient, scope: str
) -> None:
    await with_token(here, client, scope)
    answers = [
        await client.get("/api/tokens"),
        await client.post("/api/tokens", json={"name": "mine", "scopes": ["admin"]}),
        await client.delete("/api/tokens/ci"),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert "`admin`" in answers[0].json()["detail"]


async def test_token_whose_time_is_up_is_nobody(here: Installation, client: httpx.AsyncClient) -> None:
    text = await with_token(here, client, "read", lasts=60)
    ours = {"sec-fetch-site": "same-origin"}
    cookie = (await client.post("/login", data={"token": text}, headers=ours)).cookies
    del client.headers["authorization"]
    mine = {"authorization": f"Bearer {text}"}
    here.now = NOW + 59
    assert (await client.get("/api/runs", headers=mine)).status_code == 200
    here.now = NOW + 60
    assert (await client.get("/api/runs", headers=mine)).status_code == 401
    assert (await client.get("/", headers=mine)).status_code == 401
    assert cookie
    assert (await client.get("/")).status_code == 401


@pytest.mark.parametrize("cut", [0, 7, 10, 49])
async def test_truncated_and_oversized_tokens_are_nobody(
    here: Installation, client: httpx.AsyncClient, cut: int
) -> None:
    text = await with_token(here, client, "admin")
    for wrong in (text[:cut], text + "A", text + text, text[:-1] + "!", text.upper(), text + "x" * 6000):
        answer = await client.get("/api/runs", headers={"authorization": f"Bearer {wrong}".strip()})
        assert answer.status_code == 401
        assert text not in answer.text


async def test_token_that_does_not_read_opens_no_pages(here: Installation, client: httpx.AsyncClient) -> None:
    text = await with_token(here, client, "run:*", "exec")
    assert (await client.get("/")).status_code == 403
    assert (await client.get("/api/")).status_code == 200
    del client.headers["authorization"]
    login = await client.post("/login", data={"token": text}, headers={"sec-fetch-site": "same-origin"})
    assert (login.status_code, login.cookies) == (401, httpx.Cookies())


async def test_login_of_an_admin_changes_nothing(here: Installation, client: httpx.AsyncClient) -> None:
    text = await with_token(here, client, "admin")
    del client.headers["authorization"]
    await client.post("/login", data={"token": text}, headers={"sec-fetch-site": "same-origin"})
    assert (await client.get("/api/tokens")).status_code == 200
    assert (await client.post("/api/tokens", json={"name": "a"})).status_code == 403
    assert (await client.delete("/api/tokens/a")).status_code == 403


@pytest.mark.parametrize("ended", ["deleted", "expired"])
async def test_token_that_ends_while_a_body_arrives_does_nothing_more(
    here: Installation, client: httpx.AsyncClient, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever has it could keep requests under way, and make another one of it afterwards."""
    monkeypatch.setattr(guard, "AT_ONCE_S", 0.0)
    text = await with_token(here, client, "admin", lasts=60)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"name": "after", '
        if ended == "deleted":
            await here.store.write(lambda session: tokens.remove(session, name=f"t{text[-6:]}"))
        else:
            here.now += 61
        yield b'"scopes": ["admin"]}'

    inside = httpx.ASGITransport(Starlette(routes=here.site.routes()))  # which asks for no byte too early
    async with httpx.AsyncClient(transport=inside, base_url="http://errand") as asking:
        headers = {"authorization": f"Bearer {text}", "content-type": "application/json"}
        answer = await asking.post("/api/tokens", content=slowly(), headers=headers)
    assert answer.status_code == 401
    names = [each.name for each in await here.store.read(tokens.list)]
    assert "after" not in names


async def test_page_tells_every_route_and_loads_nothing_from_elsewhere(
    here: Installation, client: httpx.AsyncClient
) -> None:
    await with_token(here, client, "exec")
    document = (await client.get("/api/openapi.json")).json()
    answer = await client.get("/api/")
    assert document["openapi"] == "3.1.0"
    for path, methods in document["paths"].items():
        for method in methods:
            assert f">{method.upper()}</b> <code>{path}</code>" in answer.text
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "https://" not in answer.text.replace("https://spec", "")
