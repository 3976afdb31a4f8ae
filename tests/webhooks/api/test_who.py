"""`GET /api/who`: in pages, for admins, and what is said of a question that is none."""

from pathlib import Path

import httpx

from tests.bot.house import house
from tests.webhooks.whole import served

MANY = {f"job{number}": {"image": "shop", "command": "true"} for number in range(5)}


async def test_table_comes_in_pages(tmp_path: Path) -> None:
    async with house(tmp_path, changes={"jobs": MANY}) as home, served(home, "admin") as client:
        found, address = list[str](), "/api/who?login=octocat&limit=2"
        while address:
            answer = (await client.get(address)).json()
            assert (answer["actor"], answer["login"]) == ("github:octocat", "octocat")
            assert len(answer["jobs"]) <= 2
            found += [row["job"] for row in answer["jobs"]]
            address = (answer["next"] or "").removeprefix("http://127.0.0.1")
        assert found == sorted(home.tools.registry.catalog.jobs)
        await _refused(client)
        home.github.fail("/permission$", 500, times=9)
        rows = (await client.get("/api/who?login=stranger")).json()["jobs"]
        assert {row["may"] for row in rows if row["job"] in MANY} == {None}
        async with served(home, "read", "audit", "run:*", name="reader") as reader:
            answer = await reader.get("/api/who?login=octocat")
        assert (answer.status_code, "`admin`" in answer.json()["detail"]) == (403, True)


async def _refused(client: httpx.AsyncClient) -> None:
    for query, told in (
        ("", "login: required"),
        ("?login=slack:nobody", "expected the login"),
        ("?login=github:@acme", "expected the login"),
        ("?login=token:ci", "expected the login"),
        ("?login=octocat&limit=101", "from 1 to 100"),
        ("?login=octocat&who=me", "Unknown in the query"),
    ):
        answer = await client.get(f"/api/who{query}")
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, told in answer.json()["detail"]) == (400, True), query
