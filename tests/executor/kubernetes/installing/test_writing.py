"""What is written says the same in YAML 1.1, which kubectl reads, and in YAML 1.2."""

from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from executor.kubernetes.installing.writing import written


def read(text: str, version: tuple[int, int]) -> list[Any]:
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return list(reader.load_all(StringIO(text)))


TEXTS = st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=20)
LINES = st.lists(TEXTS, min_size=1, max_size=4).map(lambda lines: "\n".join(lines) + "\n")
SCALARS = st.one_of(TEXTS, LINES, st.integers(-(2**31), 2**31), st.booleans(), st.none())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(SCALARS, max_size=3),
        st.lists(st.dictionaries(TEXTS, inner, min_size=1, max_size=3), max_size=3),
        st.dictionaries(TEXTS, inner, max_size=3),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("version", [(1, 1), (1, 2)], ids=["1.1", "1.2"])
@given(value=st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_as_it_was(version: tuple[int, int], value: dict[str, Any]) -> None:
    assert read(written([("A sentence.", value)]), version) == [value]


@pytest.mark.parametrize(
    "text",
    ["yes", "No", "on", "Y", "null", "~", "true", "1", "0o7", "1_000", "1e3", "12:30", "", "-", "=", "<<"],
)
def test_what_yaml_takes_for_something_else_is_a_text(text: str) -> None:
    for version in ((1, 1), (1, 2)):
        assert read(written([("x", {"a": text, "b": [text], text: 1})]), version) == [
            {"a": text, "b": [text], text: 1}
        ]


def test_a_file_stands_as_it_is() -> None:
    text = "a: 1\n\n  b: ${X} # comment\n"
    assert written([("x", {"data": {"app.yaml": text}})]) == (
        "---\n# x\ndata:\n  app.yaml: |\n    a: 1\n\n      b: ${X} # comment\n"
    )


def test_every_document_has_its_sentence() -> None:
    assert written([("One.", {"a": 1}), ("Two.", {"b": []})]) == "---\n# One.\na: 1\n---\n# Two.\nb: []\n"
