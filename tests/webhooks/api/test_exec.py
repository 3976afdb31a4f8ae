"""Single commands over the API: mistakes are told at the place where they are."""

from pathlib import Path

from tests.bot.handlers.test_ready_images import CONTAINED
from tests.bot.house import house
from tests.webhooks.whole import served

NONE: tuple[object, ...] = (
    5,
    None,
    True,
    {"a": 1},
    [],
    "",
    [5],
    ["ls", None],
    [["ls"]],
    ["ls", "\0"],
    ["x"] * 1001,
)


async def test_command_that_is_none_is_told_at_its_place(tmp_path: Path) -> None:
    async with house(tmp_path, changes=CONTAINED) as home, served(home, "exec") as client:
        for command in NONE:
            answer = await client.post("/api/exec", json={"image": "tools", "command": command})
            assert (answer.status_code, command) == (422, command)
            (mistake,) = answer.json()["errors"]
            assert mistake["pointer"] in ("#/command", "#/command/1")
            assert "str" not in mistake["detail"].split()
        assert (await client.get("/api/runs")).json()["runs"] == []


async def test_text_and_words_are_commands(tmp_path: Path) -> None:
    async with house(tmp_path, changes=CONTAINED) as home, served(home, "exec") as client:
        for command in ("ls -l", ["ls", "-l"], ["ls", ""], ["x"] * 1000):
            answer = await client.post("/api/exec", json={"image": "tools", "command": command})
            assert (answer.status_code, answer.json()["job"]) == (201, "exec")
