"""How the objects of a run are labelled and annotated."""

import json
import re

from hypothesis import given
from hypothesis import strategies as some

from executor.kubernetes.objects.manifests import annotations, fit, labels
from executor.spec import About
from tests.executor.kubernetes.objects.test_manifests import made

VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
NAME = re.compile(r"[a-z.]+(/[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)", re.ASCII)
ANY_WORDS = some.dictionaries(some.text(some.characters()), some.text(some.characters()))


@given(
    some.dictionaries(some.text(), some.text(), max_size=3),
    some.dictionaries(some.text(), some.text(), max_size=3),
)
def test_hostile_words_about_a_run_break_no_manifest(named: dict[str, str], noted: dict[str, str]) -> None:
    json.dumps(made(about=About(named, noted)).job).encode()


@given(ANY_WORDS, ANY_WORDS, some.text())
def test_no_name_and_no_value_is_one_that_kubernetes_refuses(
    named: dict[str, str], noted: dict[str, str], installation: str
) -> None:
    about = About(named, noted)
    made = labels("run-1", about, installation, "run")
    assert all(VALUE.fullmatch(value) for value in made.values())
    assert all(NAME.fullmatch(name) for name in made)
    told = annotations("run-1", about)
    assert all(NAME.fullmatch(name) for name in told)
    assert sum(len((name + value).encode()) for name, value in told.items()) < 256 * 1024


def test_values_stay_as_they_are_where_they_fit() -> None:
    assert fit("migrate-2.0_x") == "migrate-2.0_x"
    assert fit("push to acme/shop") == "push_to_acme_shop"
    assert fit("é" * 100) == ""
    assert len(fit("x" * 100)) == 63


def test_no_label_of_a_run_replaces_those_that_errand_finds_it_by() -> None:
    about = About(
        {"key": "other", "installation": "other", "job": "migrate"}, {"key": "other", "actor": "octocat"}
    )
    assert labels("run-1", about, "here", "run") == {
        "app.kubernetes.io/component": "run",
        "app.kubernetes.io/managed-by": "errand",
        "app.kubernetes.io/name": "errand-run",
        "errand/installation": "here",
        "errand/job": "migrate",
        "errand/key": "run-1",
    }
    assert annotations("run-1", about) == {"errand/actor": "octocat", "errand/key": "run-1"}


def test_an_annotation_may_not_ask_for_a_stop() -> None:
    assert "errand/stop" not in annotations("run-1", About({}, {"stop": "cancelled"}))
