"""`requires`: what may stand there, and that only what is known for certain holds."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.catalog.requirements import WORDS, Check, PullFacts, Requirement, Verdict, verdicts

ALL = PullFacts(
    base="main",
    draft=False,
    checks=[Check("test", passed=True, state="success")],
    approvals=["octocat"],
    behind=0,
    unsigned=[],
)


def judged(entry: Any, facts: PullFacts) -> Verdict:
    (verdict,) = verdicts([TypeAdapter[Any](Requirement).validate_python(entry)], facts)
    return verdict


@pytest.mark.parametrize("entry", [*WORDS, {"base": ["main"]}, {"checks": {"only": ["te*"]}}])
def test_each_holds_where_all_is_well_and_nothing_where_nothing_is_known(entry: Any) -> None:
    good, unknown = judged(entry, ALL), judged(entry, PullFacts(base=""))
    assert (good.met, unknown.met) == (True, False)
    assert good.code == unknown.code == (entry if isinstance(entry, str) else next(iter(entry)))
    assert good.sentence != unknown.sentence


@pytest.mark.parametrize(
    ("entry", "facts", "sentence"),
    [
        ("not_draft", PullFacts("main", draft=True), "draft"),
        ("up_to_date", PullFacts("main", behind=1), "1 commit of `main`"),
        ("up_to_date", PullFacts("main", behind=2), "2 commits of `main`"),
        ("signed", PullFacts("main", unsigned=["a" * 40]), "`aaaaaaa`"),
        ("review", PullFacts("main", approvals=[]), "nobody who may write"),
        ("review", PullFacts("main", approvals=["a"], objections=["b"]), "`b`"),
        ("checks", PullFacts("main", checks=[]), "no check"),
        ("checks", PullFacts("main", checks=[Check("t", False, "in_progress")]), "`t: in_progress`"),
        ({"base": ["main", "release/*"]}, PullFacts("release/1/2"), "`main`, `release/*`"),
    ],
)
def test_what_is_missing_is_said(entry: Any, facts: PullFacts, sentence: str) -> None:
    verdict = judged(entry, facts)
    assert (verdict.met, sentence in verdict.sentence) == (False, True), verdict


CHECKS = [Check("lint", False, "failure"), Check("test", True, "success")]


@pytest.mark.parametrize(
    ("only", "met"),
    [
        ({"ignore": ["lint"]}, True),
        ({"ignore": ["l*"]}, True),
        ({"ignore": ["lint", "test"]}, False),
        ({"only": ["test"]}, True),
        ({"only": ["test", "lint"]}, False),
        ({"only": ["test", "never-ran"]}, False),
    ],
)
def test_some_checks_count(only: dict[str, list[str]], met: bool) -> None:
    assert judged({"checks": only}, PullFacts("main", checks=CHECKS)).met is met


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("reviews", "did you mean review"),
        ({"bases": ["main"]}, "did you mean base"),
        ({"base": []}, "at least 1"),
        ({"base": ["main"], "checks": {"only": ["a"]}}, "extra"),
        ({"checks": {}}, "ignore: or only:"),
        ({"checks": {"only": ["a"], "ignore": ["b"]}}, "ignore: or only:"),
        (7, "expected"),
    ],
)
def test_what_is_no_requirement_is_refused(entry: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TypeAdapter[Any](Requirement).validate_python(entry)
