"""Lines of a log become places of the repository, in time that grows as the line does."""

import time

import pytest

from bot.catalog.annotations import MESSAGE_CHARACTERS, Annotation, annotation, form, safe_path

RUFF = form("{file}:{line}:{column}: {message}")
GCC = form("{file}:{line}:{column}: {level}: {message}")


def test_command_of_a_workflow_is_read_with_its_escapes() -> None:
    line = "  ::error file=a%2Cb.py,line=3,endLine=5,title=Types%3A bad::one%0Atwo %25 three"
    assert annotation(line, []) == Annotation(
        "failure", "one\ntwo % three", "a,b.py", 3, 5, None, "Types: bad"
    )


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("::warning file=a.py,line=3,col=7::w", Annotation("warning", "w", "a.py", 3, 3, 7)),
        ("::notice::n", Annotation("notice", "n")),
        ("::error file=/etc/passwd,line=1::e", Annotation("failure", "e", None)),
        ("::error file=a.py,line=-4,endLine=x,col=99999999::e", Annotation("failure", "e", "a.py")),
        ("::error file=a.py,line=9,endLine=3::e", Annotation("failure", "e", "a.py", 9, 9)),
        ("::error", None),
        ("::errors file=a.py::e", None),
        ("say ::error file=a.py::e", None),
        ("::set-output name=x::y", None),
        ("::debug::y", None),
    ],
)
def test_command_of_a_workflow(line: str, wanted: Annotation | None) -> None:
    assert annotation(line, []) == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("shop/cart.py:3:7: F401 unused", Annotation("failure", "F401 unused", "shop/cart.py", 3, 3, 7)),
        ("./a.py:3:7: m", Annotation("failure", "m", "a.py", 3, 3, 7)),
        ("/srv/a.py:3:7: m", Annotation("failure", "m", None, 3, 3, 7)),
        ("12:30:59: started", None),
        ("a.py:x:7: m", None),
        ("a.py:0:7: m", None),
        ("a.py:3:٣: m", Annotation("failure", "m", "a.py", 3, 3)),
        ("a.py:3:7 m", None),
        (":3:7: m", None),
    ],
)
def test_form_of_a_job(line: str, wanted: Annotation | None) -> None:
    if line.startswith("12:"):
        assert annotation(line, [RUFF]) == Annotation("failure", "started", "12", 30, 30, 59)
    else:
        assert annotation(line, [RUFF]) == wanted


def test_forms_may_say_how_grave_it_is_and_leave_things_out() -> None:
    assert annotation("a.c:3:5: fatal error: gone", [GCC]) == Annotation("failure", "gone", "a.c", 3, 3, 5)
    assert annotation("a.c:3:5: note: see", [GCC]) == Annotation("notice", "see", "a.c", 3, 3, 5)
    assert annotation("a.c:3:5: remark: see", [GCC]) is None
    skipping = form("{}] {file} line {line}")
    line = "[12:00] a.py line 4"
    assert annotation(line, [GCC, skipping]) == Annotation("failure", line, "a.py", 4, 4)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at most 200"),
        ("{file}:{line}" + "x" * 200, "at most 200"),
        ("{file}:{line}\n", "one line"),
        ("{file}: {message}", "{file} and {line}"),
        ("{file}:{line}:{line}", "each field once"),
        ("{file}{line}", "a character between"),
        ("{path}:{line}", "{path} is no field"),
    ],
)
def test_form_that_is_none_is_refused_with_what_was_expected(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("{", r"\{")):
        form(text)


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "/a",
        "a//b",
        "a/../b",
        "a/./b",
        "../a",
        "C:/a",
        "a\\b",
        "a\x00",
        "a\nb",
        "a\u202eb",
        "a" * 501,
        "a/",
    ],
)
def test_path_that_leads_out_of_the_repository_is_none(path: str) -> None:
    assert safe_path(path) is None


@pytest.mark.parametrize(
    "line", [":" * 200_000, "a:1:" * 50_000, " " * 200_000, "::error " + "file=," * 40_000]
)
def test_longest_line_takes_no_longer_than_it_is_long(line: str) -> None:
    began = time.thread_time()
    for _ in range(10):
        annotation(line, [RUFF, GCC])
    assert time.thread_time() - began < 0.5


def test_message_is_bounded() -> None:
    made = annotation("::error::" + "x" * 100_000, [])
    assert made is not None
    assert len(made.message) == MESSAGE_CHARACTERS
