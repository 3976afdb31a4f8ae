"""A file at a commit: what is none is not followed, and what GitHub does not list is not taken as absent."""

from typing import Any

import pytest

from bot.errors import Refused
from bot.github import FileAt, Files, Unusable
from bot.github.transport import Answer, Call

SHA, NAME = "a" * 40, ".errand.yaml"


def files(data: Any, status: int = 200) -> Files:
    async def send(repository: str, call: Call) -> Answer:
        if status >= 400:
            raise Refused("no", status=status)
        return Answer(status, {}, data, "")

    return Files(send)


def tree(mode: str, **more: Any) -> dict[str, Any]:
    return {"tree": [{"path": "README.md"}, {"path": NAME, "mode": mode, "sha": SHA, "size": 9}], **more}


@pytest.mark.parametrize(
    ("mode", "told"), [("120000", "a symbolic link"), ("160000", "a submodule"), ("040000", "a directory")]
)
async def test_what_is_no_file_is_told_and_not_followed(mode: str, told: str) -> None:
    with pytest.raises(Unusable, match=told):
        await files(tree(mode)).find("acme/shop", SHA, NAME)


async def test_file_is_found_or_is_not_there() -> None:
    assert await files(tree("100644")).find("acme/shop", SHA, NAME) == FileAt(SHA, 9)
    assert await files({"tree": []}).find("acme/shop", SHA, NAME) is None
    assert await files(None, 409).find("acme/shop", SHA, NAME) is None  # an empty repository
    with pytest.raises(Unusable, match="more entries"):
        await files({"tree": [], "truncated": True}).find("acme/shop", SHA, NAME)


@pytest.mark.parametrize("data", [None, {"encoding": "utf-8", "content": "x"}, {"encoding": "base64"}])
async def test_content_that_is_none_is_refused(data: Any) -> None:
    with pytest.raises(Refused):
        await files(data).content("acme/shop", FileAt(SHA, 9))
