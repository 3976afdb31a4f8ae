"""The house in which the movement floor is tested, and the schema beside every file that is read."""

import copy
import functools
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import jsonschema_rs
import pytest

from bot.config import loading
from bot.config.config import Config
from bot.config.document import Document
from bot.config.schema import schema
from bot.github import credentials
from tests.bot.house import House, house

SCHEMA = jsonschema_rs.validator_for(schema())
SAYABLE = (
    "unknown key",
    "is required",
    "expected a text",
    "expected a list",
    "expected keys and values",
    "expected names and values",
    "expected true or false",
    "expected a whole number",
    "expected at most",
    "expected at least",
)
"""How mistakes begin (or end) that JSON Schema can tell as well."""
APART = (
    "bytes",
    "characters",
    "image is required",
    "push is required",
    "name is required: by it",
    "and B is required",
    "MiB",
    "KiB",
)
"""What is in those that it cannot: lengths in bytes, and what depends on another place."""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house with a private and a public repository, people and a Slack channel."""
    async with house(tmp_path) as made:
        yield made


@pytest.fixture(scope="session", autouse=True)
def key_is_checked_once() -> Iterator[None]:
    """Reading a private key checks that it is one, which takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(credentials, "_private_key", functools.cache(credentials._private_key))
        yield


@pytest.fixture(autouse=True)
def schema_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the loader takes, the schema takes; what is wrong with a single key, both refuse."""
    plain = loading.checked

    def both(document: Document, environ: Mapping[str, str]) -> Config | None:
        written = copy.deepcopy(document.data)
        found = plain(document, environ)
        if written is None:
            return found
        if found is not None:
            assert [str(error) for error in SCHEMA.iter_errors(written)] == []
        elif sayable := [str(each) for each in document.mistakes if _sayable(each.what)]:
            assert "$" in str(written) or not SCHEMA.is_valid(written), sayable
        return found

    monkeypatch.setattr(loading, "checked", both)


def _sayable(what: str) -> bool:
    begins = any(what.startswith(words) or what.endswith("is required") for words in SAYABLE)
    return begins and not any(words in what for words in APART)
