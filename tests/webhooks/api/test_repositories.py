"""Repositories over the API: which number is pinned to which name, and letting the next one in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access.repository_pins import Identity
from bot.errors import NotAllowed
from bot.store import Session, repository_files
from tests.bot.house import SHOP, House, house
from tests.webhooks.whole import served


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


async def test_pins_are_listed_with_who_was_refused_and_forgotten(home: House) -> None:
    repositories = home.tools.repositories
    await repositories.admit(Identity(SHOP, 7, 3), door="delivery")
    await repositories.admit(Identity("acme/store", 7, 3), door="delivery")
    with pytest.raises(NotAllowed):
        await repositories.admit(Identity(SHOP, 8), door="delivery")
    async with served(home, "admin") as client:
        owner, shop = (await client.get("/api/repositories")).json()["repositories"]
        assert (owner["name"], owner["number"], owner["rival"]) == ("acme", 3, None)
        assert (shop["name"], shop["number"], shop["current_name"], shop["rival"]) == (
            SHOP,
            7,
            "acme/store",
            8,
        )
        assert (await client.delete("/api/repositories/Acme%2FShop")).status_code == 204
        assert (await client.delete("/api/repositories/acme/shop")).status_code == 404
    assert await repositories.admit(Identity(SHOP, 8), door="delivery") == "Acme/Shop"


async def test_file_of_a_repository_is_told_with_what_is_wrong(home: House) -> None:
    await home.tools.repositories.admit(Identity(SHOP, 7), door="delivery")

    def read(session: Session) -> None:
        repository_files.want(session, repository_files.ReadRequest(7, SHOP), now=0.0)
        row = repository_files.of_number(session, 7)
        assert row is not None
        row.state, row.problem, row.prefix = "wrong", "1:1: jobs: expected names and definitions", "shop"

    await home.write(read)
    async with served(home, "admin") as client:
        (shop,) = (await client.get("/api/repositories")).json()["repositories"]
    assert shop["file"] == {
        "state": "wrong",
        "problem": "1:1: jobs: expected names and definitions",
        "prefix": "shop",
        "seen": None,
        "commit": None,
        "read_at": None,
    }


@pytest.mark.parametrize("scope", ["read", "run:*", "exec"])
async def test_only_an_admin_lets_anybody_in(home: House, scope: str) -> None:
    await home.tools.repositories.admit(Identity(SHOP, 7), door="delivery")
    async with served(home, scope) as client:
        assert (await client.get("/api/repositories")).status_code == 403
        assert (await client.delete(f"/api/repositories/{SHOP}")).status_code == 403
    assert await home.tools.repositories.known(SHOP) is not None
