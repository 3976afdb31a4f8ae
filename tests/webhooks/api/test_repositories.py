"""Repositories over the API: which number is pinned to which name, and letting the next one in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access.repository_pins import Identity
from bot.errors import NotAllowed
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


@pytest.mark.parametrize("scope", ["read", "run:*", "exec"])
async def test_only_an_admin_lets_anybody_in(home: House, scope: str) -> None:
    await home.tools.repositories.admit(Identity(SHOP, 7), door="delivery")
    async with served(home, scope) as client:
        assert (await client.get("/api/repositories")).status_code == 403
        assert (await client.delete(f"/api/repositories/{SHOP}")).status_code == 403
    assert await home.tools.repositories.known(SHOP) is not None
