"""Conditions on parameters: typed, bounded, and told where they cannot be right."""

import pytest

from bot.catalog import expressions
from bot.catalog.parameters import Parameter

PARAMETERS = {
    "DRY_RUN": Parameter(type="boolean", default="true"),
    "COUNT": Parameter(type="integer"),
    "REGION": Parameter(choices=("eu", "us")),
    "SHARE": Parameter(type="number"),
    "NOTE": Parameter(),
}


def holds(text: str, **values: str) -> bool:
    expressions.check_syntax(text)
    expressions.check(text, PARAMETERS)
    return expressions.holds(text, PARAMETERS, values)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("DRY_RUN == false", {"DRY_RUN": "false"}, True),
        ("DRY_RUN == false", {"DRY_RUN": "true"}, False),
        ("!DRY_RUN && COUNT > 10", {"DRY_RUN": "false", "COUNT": "11"}, True),
        ("!DRY_RUN && COUNT > 10", {"DRY_RUN": "false", "COUNT": "9"}, False),
        ('REGION in ["eu"]', {"REGION": "us"}, False),
        ("SHARE >= 0.5", {"SHARE": "0.25"}, False),
        ('NOTE.startsWith("prod-")', {"NOTE": "prod-1"}, True),
        ("NOTE == null", {}, True),
        ('NOTE == "map(x)"', {"NOTE": "map(x)"}, True),
    ],
)
def test_condition_is_decided_by_typed_values(text: str, values: dict[str, str], expected: bool) -> None:
    assert holds(text, **values) is expected


@pytest.mark.parametrize("text", ["COUNT > 10", "COUNT / 0 > 1", "NOTE.matches('x') && COUNT > 1"])
def test_what_cannot_be_decided_counts_as_yes(text: str) -> None:
    assert expressions.holds(text, PARAMETERS, {"NOTE": "x"})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "expected a condition"),
        ("x" * 501, "at most 500"),
        ("COUNT > ", "line 1, column 9"),
        ("DRY_RUN &&\n  (COUNT > 1", "line 2"),
        ("[1, 2].map(x, x).size() > 1", r"map \(line 1, column 8\)"),
        ("[1].all (x, x > 0)", r"all \(line 1, column 5\)"),
        ("now() > 1", r"now \(line 1, column 1\) is no function"),
        ("__import__('os').system('true') == 0", "is no function"),
        ("COUNTS > 1", "did you mean COUNT"),
        ("DRY_RUN &&\n  OTHER", r"OTHER \(line 2, column 3\)"),
        ('DRY_RUN == "false"', "true or false"),
        ('COUNT != "1"', "an integer"),
        ("NOTE == 1", "a text"),
        ("0 == DRY_RUN", "true or false"),
        ("COUNT", "true or false"),
        ("NOTE > 1", "does not fit its parameters"),
        ('NOTE.matches("(")', "does not fit its parameters"),
        ("(" * 240 + "DRY_RUN" + ")" * 240, "expected a condition"),
    ],
)
def test_mistake_is_told_with_its_place(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        holds(text)


def test_language_is_loaded_with_the_first_condition_alone() -> None:
    import subprocess
    import sys

    code = "import sys, bot.catalog.catalog; sys.exit('cel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
