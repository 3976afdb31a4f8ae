"""References to the environment in texts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config.interpolation import Expanded, Missing, expand

ENVIRON = {"A": "1", "EMPTY": "", "TRICK": "${A}$$"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", Expanded("plain")),
        ("${A}", Expanded("1", {"A": "1"})),
        ("x${A}y${A}", Expanded("x1y1", {"A": "1"})),
        ("${NONE:-b}", Expanded("b")),
        ("${NONE:-}", Expanded("")),
        ("${EMPTY:-b}", Expanded("b")),
        ("${EMPTY}", Expanded("", {"EMPTY": ""})),
        ("${A:-b}", Expanded("1", {"A": "1"})),
        ("${NONE:-https://h/{repository}.git}", Expanded("https://h/{repository}.git")),
        ("${NONE:-a:-b}", Expanded("a:-b")),
        ("$$", Expanded("$")),
        ("$${A}", Expanded("${A}")),
        ("$$${A}", Expanded("$1", {"A": "1"})),
        ("$A $( $", Expanded("$A $( $")),
        ("${TRICK}", Expanded("${A}$$", {"TRICK": "${A}$$"})),
    ],
)
def test_references_are_replaced_once(text: str, expanded: Expanded) -> None:
    assert expand(text, ENVIRON) == expanded


@pytest.mark.parametrize(
    "text", ["${", "${A", "${}", "${1}", "${A-b}", "${a b}", "${A:-${B}}", "${A}${", "${:-x}"]
)
def test_malformed_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected"):
        expand(text, ENVIRON)


def test_unset_variable_is_named() -> None:
    with pytest.raises(Missing, match="the environment variable NONE is not set"):
        expand("a ${NONE}", ENVIRON)


@settings(deadline=None)
@given(st.text(max_size=50))
def test_escaped_text_comes_out_as_it_was(text: str) -> None:
    assert expand(text.replace("$", "$$"), {}) == Expanded(text)
