"""Definitions over the API: what is no number of JSON is a mistake with its place."""

from pathlib import Path

from tests.bot.house import house
from tests.webhooks.whole import served


async def test_number_without_an_end_is_told_with_its_place(tmp_path: Path) -> None:
    headers = {"content-type": "application/json"}
    async with house(tmp_path) as home, served(home, "admin") as client:
        for number in ("1e999", "1" * 400, "-" + "1" * 4000, str(2**63)):
            body = f'{{"command": "true", "keep": {number}}}'
            answer = await client.put("/api/jobs/long", content=body, headers=headers)
            assert answer.status_code == 422, answer.text
            assert [each["pointer"] for each in answer.json()["errors"]] == ["#/keep"]
