"""What jobs say of each other is held against what there is, and told where it is written."""

from pathlib import Path

import pytest

from bot.catalog.chains import circle
from bot.config import Wrong, job_of, load
from bot.config.findings import Invalid

HEAD = """
github: {token: t}
images:
  shop: {build: {repository: acme/shop}}
  site: {build: {repository: acme/site}}
jobs:
"""


def told(tmp_path: Path, jobs: str) -> list[str]:
    (tmp_path / "app.yaml").write_text(HEAD + jobs)
    try:
        load(tmp_path / "app.yaml", {})
    except Invalid as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize(
    ("jobs", "line", "what"),
    [
        ("  a: {image: shop, command: x, after: {job: b}}\n", 7, "there is no job b"),
        ("  a: {image: shop, command: x, after: [a]}\n", 7, "a job does not wait for itself"),
        (
            "  stage: {image: shop, command: x}\n  a: {image: shop, command: x, after: [stge]}\n",
            8,
            "there is no job stge; did you mean stage?",
        ),
        (
            "  a: {image: shop, command: x, after: b}\n  b: {image: shop, command: x, after: c}\n"
            "  c: {image: shop, command: x, after: a}\n",
            7,
            "is a circle, which would never end",
        ),
        (
            "  a: {image: shop, command: x, after: b}\n  b: {command: x}\n",
            7,
            "the image of b is not built here",
        ),
        (
            "  a: {image: shop, command: x, after: b}\n  b: {image: site, command: x}\n",
            7,
            "b is of acme/site",
        ),
        (
            "  a: {image: shop, command: x, after: {job: b, of: image}}\n  b: {command: x}\n",
            7,
            "b has no image, so there is none to compare",
        ),
        (
            "  a: {image: shop, command: x, after: [b, b]}\n  b: {image: shop, command: x}\n",
            7,
            "b stands here twice",
        ),
        ("  a: {image: shop, command: x, after: {job: b, within: 5s}}\n", 7, "expected a duration from 1m"),
        ("  a: {image: shop, command: x, after: {job: b, of: branch}}\n", 7, "commit"),
        ("  a: {command: x, then: b}\n", 7, "there is no job b"),
        ("  a: {command: x, then: [a]}\n", 7, "nor does it start itself"),
        (
            "  a:\n    command: x\n    then: [b, {job: c, parameters: {N: x}}]\n  b: {command: x}\n"
            "  c: {command: x, parameters: {N: {type: integer}}}\n",
            9,
            "c does not take this: `N`",
        ),
        (
            "  a: {command: x, then: b}\n  b: {command: x, parameters: {N: {required: true}}}\n",
            7,
            "`N` is required",
        ),
        (
            "  a: {command: x, then: b}\n  b: {command: x, then: [c]}\n  c: {command: x, then: a}\n",
            7,
            "is a circle",
        ),
        (
            "  a: {image: shop, command: x, then: b, after: b}\n  b: {image: shop, command: x}\n",
            7,
            "a -> b -> a is a circle",
        ),
    ],
)
def test_mistake_is_told_with_its_line(tmp_path: Path, jobs: str, line: int, what: str) -> None:
    found = told(tmp_path, jobs)
    assert len(found) == 1
    assert f":{line}:" in found[0]
    assert what in found[0]


def test_what_fits_is_taken(tmp_path: Path) -> None:
    assert told(tmp_path, "  a: {image: shop, command: x, after: b}\n  b: {image: shop, command: x}\n") == []


def test_job_of_the_api_may_name_those_of_today_and_make_no_circle(tmp_path: Path) -> None:
    assert told(tmp_path, "  a: {image: shop, command: x}\n") == []
    config = load(tmp_path / "app.yaml", {})
    one = job_of(b'{"image": "shop", "command": "x", "after": "a"}', "one", config, config.jobs)
    assert one.predecessors[0].job == "a"
    two = b'{"image": "shop", "command": "x", "after": ["one", "a"]}'
    with pytest.raises(Wrong, match="there is no job gone"):
        job_of(b'{"image": "shop", "command": "x", "after": {"job": "gone"}}', "three", config, config.jobs)
    again = job_of(two, "two", config, {**config.jobs, "one": one})
    with pytest.raises(Wrong, match="one -> two -> one is a circle"):
        job_of(
            b'{"image": "shop", "command": "x", "after": "two"}', "one", config, {**config.jobs, "two": again}
        )


def test_circle_is_found_however_long_it_is() -> None:
    before = {str(number): [str((number + 1) % 5000)] for number in range(5000)}
    assert len(circle(before, "0") or []) == 5001
    assert circle({"a": ["b", "c"], "b": ["c"], "c": []}, "a") is None
