"""How JSON bodies are read: what is refused, with which status and at which place."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from webhooks.api import bodies, requests
from webhooks.api.problems import Problem


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async def take(request: Request) -> Response:
        try:
            taken = await bodies.body(request, requests.Start)
        except Problem as problem:
            return problem.response()
        return JSONResponse(taken.model_dump())

    transport = httpx.ASGITransport(Starlette(routes=[Route("/", take, methods=["POST"])]))
    async with httpx.AsyncClient(transport=transport, base_url="http://errand") as client:
        yield client


async def send(
    client: httpx.AsyncClient, content: bytes | str, kind: str = "application/json"
) -> httpx.Response:
    return await client.post("/", content=content, headers={"content-type": kind})


def told(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["pointer"]: each["detail"] for each in answer.json()["errors"]}


async def test_body_may_be_left_out(client: httpx.AsyncClient) -> None:
    answer = await client.post("/")
    nothing = dict.fromkeys(["ref", "image_tag", "override", "at", "delay"])
    assert answer.json() == {"parameters": {}, "arguments": [], **nothing}


async def test_numbers_and_truth_values_are_taken_as_the_text_that_a_job_sees(
    client: httpx.AsyncClient,
) -> None:
    answer = await send(client, '{"parameters": {"A": 1, "B": 0.5, "C": true, "D": "x"}, "arguments": [2]}')
    assert answer.json()["parameters"] == {"A": "1", "B": "0.5", "C": "true", "D": "x"}
    assert answer.json()["arguments"] == ["2"]


async def test_every_mistake_is_told_with_its_place(client: httpx.AsyncClient) -> None:
    body = {"parameters": {"A/B~": [1], "C": None}, "arguments": "x", "ref": 5, "image_tag": "", "tag": 1}
    assert told(await send(client, json.dumps(body))) == {
        "#/parameters/A~1B~0": "expected a text",
        "#/parameters/C": "expected a text",
        "#/arguments": "expected a list",
        "#/ref": "expected a text",
        "#/image_tag": "expected at least 1 characters",
        "#/tag": "unknown; known are parameters, arguments, ref, image_tag, override, at, delay",
    }


async def test_name_that_comes_twice_is_a_mistake_wherever_it_stands(client: httpx.AsyncClient) -> None:
    assert told(await send(client, '{"ref": "a", "ref": "b"}')) == {"#/ref": "given twice"}
    assert told(await send(client, '{"parameters": {"A": "1", "A": "2"}}')) == {
        "#/parameters/A": "given twice"
    }


@pytest.mark.parametrize("body", ["[]", "1", '"text"', "null", "true"])
async def test_body_that_is_no_object_is_refused(client: httpx.AsyncClient, body: str) -> None:
    assert told(await send(client, body)) == {"#": "expected an object"}


@pytest.mark.parametrize(
    "body",
    [b"{", b"{'a': 1}", b'{"ref": "a",}', b"\xff", b"nul", b'{"a": NaN}', b'{"a": -Infinity}', b"{}{}"],
)
async def test_body_that_is_no_json_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await send(client, body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("The body is not JSON")


@pytest.mark.parametrize("level", [17, 900, 30_000])
async def test_deep_body_is_refused(client: httpx.AsyncClient, level: int) -> None:
    answer = await send(client, '{"parameters": ' + "[" * level + "]" * level + "}")
    assert answer.status_code == (422 if level == 17 or level == 900 else 400)
    assert "deep" in answer.text


@pytest.mark.parametrize(
    ("text", "place"),
    [('{"ref": "a\\u0000b"}', "#/ref"), ('{"ref": "\\ud800"}', "#/ref"), ('{"a\\u0000": 1}', "#/a%00")],
)
async def test_text_that_no_database_takes_is_refused(
    client: httpx.AsyncClient, text: str, place: str
) -> None:
    assert place in told(await send(client, text))


async def test_number_without_an_end_is_refused(client: httpx.AsyncClient) -> None:
    for number in ("1e999", "-1e999", "1" * 400, "-" + "1" * 4000, str(2**63)):
        assert "#/parameters/A" in told(await send(client, f'{{"parameters": {{"A": {number}}}}}'))
    assert (await send(client, '{"parameters": {"A": ' + "1" * 5000 + "}}")).status_code == 400


async def test_declared_and_undeclared_sizes_have_the_same_bound(client: httpx.AsyncClient) -> None:
    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b" " * 1024

    assert (await send(client, b" " * (10 << 20))).status_code == 413
    assert (await client.post("/", content=pieces(10 << 10))).status_code == 413
    assert (await client.post("/", content=pieces(10 << 10))).headers["connection"] == "close"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
async def test_other_content_type_is_refused(client: httpx.AsyncClient, kind: str) -> None:
    assert (await send(client, "{}", kind)).status_code == 415


async def test_slow_body_is_refused(monkeypatch: pytest.MonkeyPatch, client: httpx.AsyncClient) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.01)

    async def never() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b"{}"

    assert (await client.post("/", content=never())).status_code == 408


def test_mistakes_have_a_bound() -> None:
    body: dict[str, Any] = {f"x{number}" * 100: 1 for number in range(500)}
    with pytest.raises(Problem) as caught:
        bodies.checked(requests.Start, body)
    errors = caught.value.extra["errors"]
    assert isinstance(errors, list)
    assert len(errors) == 100
    assert max(len(each["pointer"]) for each in errors) < 300


async def test_connection_goes_on_after_a_body_that_is_a_little_too_large(client: httpx.AsyncClient) -> None:
    near = await send(client, b" " * (bodies.BODY_LIMIT + 1))
    assert (near.status_code, near.headers.get("connection")) == (413, None)
    far = await send(client, b" " * (bodies.NEAR * bodies.BODY_LIMIT + 1))
    assert (far.status_code, far.headers.get("connection")) == (413, "close")
