"""A store on either database, and rows to put into it."""

from collections.abc import AsyncIterator

import pytest

from bot.store import Store
from bot.tables import Build, Post, Run


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with await Store.open(database_url, owner="one") as opened:
        yield opened


def a_run(key: str, *, job: str = "migrate", build_number: int | None = None) -> Run:
    return Run(key=key, job=job, cause="comment", actor="github:octocat", build_number=build_number)


def a_build(*, commit: str = "c" * 40, definition: dict[str, str] | None = None) -> Build:
    return Build(
        image="shop",
        repository="acme/shop",
        commit=commit,
        definition=definition or {},
        cause="push",
        actor="github:octocat",
    )


def a_card(key: str = "github_comment:acme/shop#7") -> Post:
    return Post(key=key, kind="github_comment", nonce="n", created_at=1.0)
