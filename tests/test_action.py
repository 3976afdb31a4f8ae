"""The words of the GitHub Action's bash: JSON, addresses, Markdown; and that the scripts are clean."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ACTION = Path(__file__).parents[1] / "deploy" / "action"


def _bash(function: str, *arguments: str, code: int = 0) -> str:
    script = f'source "$0"; {function} "$@"'
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-uc", script, str(ACTION / "text.sh"), *arguments],
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (code, b"")
    return done.stdout.decode()


RUN = {
    "number": 142,
    "message": 'say "result": "succeeded", {"a": 1} \\',
    "nothing": None,
    "parameters": {
        "result": "succeeded",
        "exit_code": "0",
        "[": "]}",
        "deep": {"result": [1, {"result": "x"}]},
    },
    "list": [{"result": "listed"}, "result", "x"],
    "flag": True,
    "result": "failed",
    "exit_code": -3,
    "text": "äöü € 😀 \t\n<b>",
    "empty": "",
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "142"),
        ("message", RUN["message"]),
        ("nothing", ""),
        ("parameters", ""),
        ("deep", ""),
        ("a", ""),
        ("flag", "true"),
        ("result", "failed"),
        ("exit_code", "-3"),
        ("text", RUN["text"]),
        ("empty", ""),
        ("missing", ""),
    ],
)
def test_member_of_json_is_the_objects_own(name: str, value: str, indent: int | None) -> None:
    assert _bash("json_member", name, json.dumps(RUN, indent=indent)) == value


PLAIN = st.text(st.characters(exclude_categories=("Cc", "Cs"), include_characters="\t\n"), max_size=30)


@settings(max_examples=40, deadline=None)
@given(PLAIN, st.booleans())
def test_text_of_json_comes_back_as_it_was(text: str, ascii: bool) -> None:
    document = json.dumps({"other": {"text": "no"}, "text": text, "end": 1}, ensure_ascii=ascii)
    assert _bash("json_member", "text", document) == text


@settings(max_examples=40, deadline=None)
@given(PLAIN)
def test_text_becomes_json(text: str) -> None:
    assert json.loads(_bash("json_string", text)) == text


@settings(max_examples=30, deadline=None)
@given(PLAIN)
def test_text_becomes_a_part_of_an_address(text: str) -> None:
    assert _bash("percent_encoded", text) == quote(text, safe="")


@pytest.mark.parametrize(
    "text", ['{"a": "\\u12', '{"a": "x', "{", "]]]", '{"a": "\\ud83d"}', "", "null", "<html>", '"a"']
)
def test_what_is_no_json_holds_nothing_that_does_harm(text: str) -> None:
    assert _bash("json_member", "a", text) in ("", "?")


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(st.from_regex("[a-z_]{1,8}", fullmatch=True), st.text(max_size=30), max_size=5),
    st.booleans(),
)
def test_object_of_texts_is_given_as_it_stands(texts: dict[str, str], compact: bool) -> None:
    document = {
        "parameters": {"outputs": '"outputs": {"a": "b"}', "x": "}"},
        "outputs": texts,
        "summary": "}",
    }
    text = json.dumps(document, separators=(",", ":") if compact else None)
    assert json.loads(_bash("json_texts", "outputs", text)) == texts


@pytest.mark.parametrize(
    "text", ["", "null", "{}", '{"outputs": null}', '{"outputs": "x"}', '{"outputs": {"a', "<p>"]
)
def test_what_is_no_object_of_texts_is_an_empty_one(text: str) -> None:
    assert json.loads(_bash("json_texts", "outputs", text)) in ({}, {"a": ""})


def test_large_object_of_texts_is_read_at_once() -> None:
    texts = {"a": '"' * 15_000, "b": "\\" * 15_000}
    assert json.loads(_bash("json_texts", "outputs", json.dumps({"outputs": texts}))) == texts


def test_member_is_found_wherever_the_window_ends() -> None:
    """Documents are read in pieces of 512 characters."""
    documents = [
        json.dumps({"a": "x" * length, "detail": 'say "detail": "no"', "b": {"detail": 1}})
        for length in range(470, 530, 3)
    ]
    script = 'source "$0"; for text in "$@"; do json_member detail "$text"; echo; done'
    done = subprocess.run(
        ["bash", "-uc", script, str(ACTION / "text.sh"), *documents],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.decode() == 'say "detail": "no"\n' * len(documents)


def test_page_that_is_large_is_no_json_at_once() -> None:
    """What bash copies with every step it copies for minutes; an argument has at most 128 KiB."""
    page = "<p class='x'>Not <b>now</b>: come back.</p>\n" * 2900
    assert _bash("json_member", "detail", page) == ""


def test_mistakes_of_a_problem_are_listed() -> None:
    errors = [{"pointer": f"#/parameters/P{n}", "detail": f'expected "{n}"'} for n in range(9)]
    told = _bash(
        "json_mistakes", json.dumps({"detail": '"pointer": "#/no", "detail": "no"', "errors": errors})
    )
    assert told == "".join(f'P{n}: expected "{n}"; ' for n in range(5))


def test_markdown_marks_nothing_up() -> None:
    made = _bash("markdown", "a*b_c`d`[e](f)<script>&#1;\n# g | h ![i] \\ @octocat https://x")
    assert made == (
        "a\\*b\\_c\\`d\\`\\[e\\]\\(f\\)&lt;script&gt;&amp;\\#1; \\# g \\| h \\!\\[i\\] \\\\ \\@octocat https\\://x"
    )


def test_error_is_one_command() -> None:
    assert _bash("say_error", "50 %\n::warning::x\r") == "::error title=Errand::50 %25%0A::warning::x%0D\n"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", "90"),
        ("90s", "90"),
        ("30m", "1800"),
        ("1h30m", "5400"),
        ("2d", "172800"),
        ("08", "8"),
        ("08m", "480"),
    ],
)
def test_duration_is_read(text: str, seconds: str) -> None:
    assert _bash("seconds", text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "0h0m", "soon", "-1", "1.5h", "30 m", "m", "123456789", "a[$(id)]"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    assert _bash("seconds", text, code=1) == ""


def test_scripts_are_clean() -> None:
    if shutil.which("shellcheck") is None:
        if os.environ.get("CI"):
            pytest.fail("shellcheck is missing")
        pytest.skip("shellcheck is missing")
    scripts = [str(each) for each in sorted(ACTION.glob("*.sh"))]
    done = subprocess.run(
        ["shellcheck", "--external-sources", *scripts],
        cwd=ACTION.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
