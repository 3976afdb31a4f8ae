"""The operator's log: one line of JSON for each event, and no secret in any form."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.telemetry.logging import MOST, configure, mask
from executor.spec import Secret

PEM = "-----BEGIN KEY-----\nabc+def\n-----END KEY-----\n"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What was configured before."""
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


class Terminal(io.StringIO):
    """Somebody watches."""

    def isatty(self) -> bool:
        return True


def logged(stream: io.StringIO, *secrets: str) -> str:
    configure([Secret(each) for each in secrets], stream=stream)
    log = structlog.get_logger("test")
    try:
        local = {"hidden": "in-a-variable"}
        raise ValueError(PEM, local.keys())
    except ValueError:
        log.exception("told", value="hunter22", pem=PEM)
    logging.getLogger("library").warning("it said %s", "hunter22")
    return stream.getvalue()


def test_no_form_of_a_secret_is_written_where_a_program_reads() -> None:
    text = logged(io.StringIO(), "hunter22", PEM)
    first, second = [json.loads(line) for line in text.splitlines()]
    assert (first["event"], first["value"], first["level"]) == ("told", "***", "error")
    assert "ValueError" in first["exception"]
    assert second["event"] == "it said ***"
    assert "abc+def" not in text


def test_nor_where_a_person_does_and_no_variables_either() -> None:
    text = logged(Terminal(), "hunter22", PEM)
    assert "ValueError" in text
    assert not any(each in text for each in ("hunter22", "abc+def", "in-a-variable"))


def test_what_is_too_short_to_be_told_from_words_is_left() -> None:
    assert json.loads(logged(io.StringIO(), "it", "").splitlines()[1])["event"] == "it said hunter22"


def test_value_that_a_job_is_given_later_is_masked_and_its_plain_words_are_not() -> None:
    stream = io.StringIO()
    configure([Secret("hunter22")], stream=stream)
    log = structlog.get_logger("test")
    mask([Secret("of-a-job-1"), Secret("info")])
    log.info("told", value="of-a-job-1", first="hunter22")
    mask(Secret(f"number-{n:06}") for n in range(MOST))
    log.info("told", value="of-a-job-1", newest=f"number-{MOST - 1:06}", first="hunter22")
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["value"], first["first"], first["level"]) == ("***", "***", "info")
    assert (second["value"], second["newest"], second["first"]) == ("of-a-job-1", "***", "***")


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize(
    "shown",
    [
        "68756e7465723232",
        "aHVudGVyMjI",
        "hun\x1b[31mter\x1b[0m22",
        "hunt\u200ber22",
        "hh\bhu\bun\bnt\bte\ber\br2\b22\b2",
        "h\x00unter22",
    ],
)
def test_it_is_masked_as_strictly_as_the_log_of_a_run(shown: str, terminal: bool) -> None:
    stream = Terminal() if terminal else io.StringIO()
    configure([Secret("hunter22")], stream=stream)
    structlog.get_logger("test").error("said", error=f"fatal: {shown}", deep={"list": [shown]})
    text = stream.getvalue()
    assert text.count("***") == 2, text
    if not terminal:
        line = json.loads(text)
        assert "***" in line["error"]
        assert "***" in line["deep"]["list"][0]
    assert "68756e" not in text
    assert "hunt" not in text


def test_values_take_a_bounded_memory_and_a_line_is_quick_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    configure([Secret("hunter22")], stream=stream)
    monkeypatch.setattr("bot.telemetry.logging.MOST_BYTES", 100_000)
    log = structlog.get_logger("test")
    mask(Secret(f"{'x' * 1000}-{n:06}") for n in range(100))
    log.info("told", oldest=f"{'x' * 1000}-000000", newest=f"{'x' * 1000}-000099", first="hunter22")
    line = json.loads(stream.getvalue())
    assert (line["oldest"][:3], line["newest"], line["first"]) == ("xxx", "***", "***")


def test_strangers_cannot_fill_it_with_what_is_no_request() -> None:
    stream = io.StringIO()
    configure([], stream=stream)
    server = logging.getLogger("uvicorn.error")
    server.warning("Invalid HTTP request received.")
    server.error("Exception in ASGI application")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "Exception in ASGI application"
    ]
