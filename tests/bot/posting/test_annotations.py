"""A thousand annotations of a log: 200 beside the code, 50 in a request, the rest in words, none twice."""

from typing import Any

import pytest
from sqlalchemy import update

from bot.catalog.annotations import Annotation, form
from bot.errors import RetryLater
from bot.posting.annotations import LINE_BYTES, Scan
from bot.states import attempt_name
from bot.store import posts
from bot.tables import Build, Run
from demo.github import Check
from executor.logs.logfile import LogWriter
from tests.bot.house import SHOP, House
from tests.bot.posting.test_outbox import send

BUILT = {"state": "finished", "result": "succeeded", "digest": "d"}
FORM = "{file}:{line}: {message}"


def scanned(*pieces: bytes, whole: bool = True) -> Any:
    scan = Scan([form(FORM)], whole=whole)
    for piece in pieces:
        scan.feed(piece)
    return scan.notes()


def test_log_is_looked_through_whatever_it_is_cut_into() -> None:
    text = "a.py:1: é\r\n\x1b[31mb.py:2: red\x1b[0m\n::warning file=c.py::w\nno place\nd.py:3: last".encode()
    pieces = [text[at : at + 1] for at in range(len(text))]
    wanted = scanned(text)
    assert scanned(*pieces) == wanted
    assert [(each.path, each.message) for each in wanted.placed] == [
        ("a.py", "é"),
        ("b.py", "red"),
        ("d.py", "last"),
        ("c.py", "w"),
    ]
    assert scanned(text, whole=False).counts == {"failure": 2, "warning": 1, "notice": 0}


def test_errors_come_first_and_the_same_once() -> None:
    notices = b"".join(b"::notice file=a.py,line=%d::n\n" % number for number in range(1, 301))
    notes = scanned(notices + b"a.py:7: late\n" * 5 + b"::error::without a place\n")
    assert len(notes.placed) == 200
    assert notes.placed[0] == Annotation("failure", "late", "a.py", 7, 7)
    assert notes.counts == {"failure": 2, "warning": 0, "notice": 300}
    assert notes.sentence == "The log has 2 errors and 300 notices; 102 of them stand only in the log."


def test_what_a_job_prints_of_others_can_be_kept_from_counting() -> None:
    notes = scanned(b"::stop-commands::w0rd\n::error file=a.py::forged\n::w0rd::\n::error file=a.py::own\n")
    assert [each.message for each in notes.placed] == ["own"]


def test_line_without_end_costs_no_memory() -> None:
    scan = Scan([form(FORM)])
    for _ in range(64):
        scan.feed(b"x" * 100_000)
    assert len(scan._rest) <= 2 * LINE_BYTES


async def _log(home: House, text: bytes) -> None:
    """Run #1 of `check` has ended with that log."""
    await home.says("/job run check")
    await send(home)
    await home.write(lambda s: s.execute(update(Build).values(**BUILT)))
    run = await home.run(1)
    log = LogWriter(home.tools.logs.path(attempt_name(run.name, 1)), 2**20)
    log.write(text)
    log.finish()
    ended = {"state": "finished", "result": "failed", "finished_at": home.now, "tail": ["last"]}
    await home.write(lambda s: s.execute(update(Run).values(**ended)))
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))


def _check(home: House) -> Check:
    return next(check for check in home.github.checks if check.name == "errand / check")


THOUSAND = b"".join(b"::error file=a.py,line=%d::number %d\n" % (number, number) for number in range(1, 1001))


async def test_thousand_annotations_are_two_hundred_and_a_sentence(home: House) -> None:
    await _log(home, THOUSAND)
    before = home.github.count("/check-runs/")
    await send(home)
    check = _check(home)
    assert home.github.count("/check-runs/") == before + 4
    assert [each["start_line"] for each in check.annotations] == list(range(1, 201))
    assert "The log has 1,000 errors; 800 of them stand only in the log." in str(check.output["summary"])
    assert check.conclusion == "failure"
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    await send(home)
    assert len(check.annotations) == 200


async def test_interrupted_try_sends_no_annotation_twice(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _log(home, THOUSAND)
    real, left = home.tools.github.update_check, [True, True]  # type: ignore[union-attr]

    async def twice(*what: Any) -> None:
        if not left:
            raise RetryLater("away")
        left.pop()
        await real(*what)

    with monkeypatch.context() as patch:
        patch.setattr(home.tools.github, "update_check", twice)
        await send(home)
    assert len(_check(home).annotations) == 100
    await send(home)
    assert [each["start_line"] for each in _check(home).annotations] == list(range(1, 201))


async def test_where_everybody_reads_nothing_is_shown_of_a_private_log(home: House) -> None:
    await _log(home, b"::error file=a.py::secret plan\n")
    home.github.state.repositories[SHOP].private = False
    await send(home)
    check = _check(home)
    assert check.annotations == []
    assert "secret plan" not in str(check.output)


@pytest.mark.parametrize(
    "message", ["", "%0A%0A", "\x1b[2J", "a" * 5000, "%0A".join("line" for _ in range(500))]
)
async def test_github_takes_whatever_a_job_writes(home: House, message: str) -> None:
    await _log(home, f"::error file=a.py,line=5,endLine=9,col=2,title={'t' * 400}::{message}\n".encode())
    await send(home)
    assert len(_check(home).annotations) == 1
    assert {post.state for post in await home.posts() if post.kind == "github_check"} == {"open"}


async def test_what_has_no_place_stands_in_the_text(home: House) -> None:
    await _log(home, b"::error::the database is gone\n::error file=../../x::hidden\n")
    await send(home)
    assert _check(home).annotations == []
    text = str(_check(home).output["text"])
    assert "failure: the database is gone" in text
    assert "last" in text
