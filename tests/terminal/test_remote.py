"""What is told where something else than an Errand answers, and what is waited for."""

import json
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from terminal.completion import image_names, job_names, target_names
from terminal.failures import Failure, Problem, Unreachable
from terminal.following import Follower
from terminal.remote import Remote, Where

Answering = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def listening(answering: Answering, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answering(self)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever does not trust it hangs up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def saying(status: int, content: bytes, **headers: str) -> Answering:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


going = saying(200, b'{"state": "running", "attempts": [1]}', Content_Type="application/json")


def ended(attempts: int) -> Answering:
    run = {"state": "finished", "attempts": [*range(attempts)]}
    return saying(200, json.dumps(run).encode(), Content_Type="application/json")


def log(content: bytes, offset: int = 0) -> Answering:
    return saying(200, content, Content_Type="text/plain", Log_Offset=str(offset))


def followed(
    answers: list[Answering],
    asked: list[str] | None = None,
    *,
    attempt: int | None = None,
    tail: int | None = None,
) -> list[bytes]:
    """What is shown of run 1 by who gets these answers, one after the other, to what it `asked`."""
    left, got = iter(answers), list[bytes]()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if asked is not None:
            asked.append(handler.path)
        next(left)(handler)

    with listening(answer) as address:
        remote = Remote(Where(address, "errand_x"))
        Follower(remote, 1, lambda chunk, attempt: got.append(chunk), attempt=attempt, tail=tail).to_the_end()
    assert next(left, None) is None
    return got


def foreign(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")


PAGE = saying(200, b"<html>\x1b[31mHello</html>", Content_Type="text/html")


@pytest.mark.parametrize(
    ("answering", "told"),
    [
        (PAGE, "is no Errand"),
        (saying(200, b"[]", Content_Type="application/json"), "is no Errand"),
        (saying(301, b"", Location="https://errand.example.com/"), "leads to https://errand.example.com/."),
        (saying(404, b"<html>", Content_Type="text/html"), "answers 404 Not Found; is that an Errand?"),
        (saying(502, b"<html>", Content_Type="text/html"), "the Errand behind it does not answer"),
        (foreign, "does not speak HTTP"),
        (lambda handler: None, "The connection to .* broke. Is `errand serve` running"),
    ],
    ids=["page", "list", "moved", "missing", "gateway", "ssh", "silence"],
)
def test_stranger_is_told_in_one_sentence(answering: Answering, told: str) -> None:
    with listening(answering) as address, pytest.raises(Failure, match=told) as failure:
        Remote(Where(address, "errand_x")).ask("GET", "/api/jobs")
    assert "\n" not in str(failure.value)


def test_page_of_a_stranger_is_no_log() -> None:
    with listening(PAGE) as address, pytest.raises(Unreachable, match="gave no log"):
        list(Remote(Where(address, "errand_x")).log("/api/runs/1/logs", {}))


def test_certificate_that_is_not_trusted_is_told(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with listening(PAGE, context) as address, pytest.raises(Failure, match="is not trusted: self-signed"):
        Remote(Where(address, "errand_x")).ask("GET", "/api/jobs")


def test_https_to_a_service_without_it_is_told() -> None:
    with listening(PAGE) as address, pytest.raises(Failure, match="does not speak https"):
        Remote(Where(address.replace("http", "https"), "errand_x")).ask("GET", "/api/jobs")


def test_detail_is_told_without_markup_and_mistakes_only_once_and_without_pointers() -> None:
    problem = {
        "detail": "`a` cannot start:\n- `X` is no parameter.",
        "errors": [
            {"pointer": "#/parameters/X", "detail": "`X` is no parameter."},
            {"pointer": "#/ref", "detail": "expected text"},
            {"pointer": "#/parameters/A~1B", "detail": "unknown"},
            {"pointer": "#/arguments/1", "detail": "too long"},
            {"pointer": "#/steps/0/na%20me", "detail": "required"},
            {"pointer": "#", "detail": "expected an object"},
        ],
    }
    answering = saying(422, json.dumps(problem).encode(), Content_Type="application/problem+json")
    with listening(answering) as address, pytest.raises(Problem) as failure:
        Remote(Where(address, "errand_x")).ask("GET", "/api/jobs")
    assert str(failure.value) == (
        "a cannot start:\n- X is no parameter.\n  --ref: expected text\n  A/B: unknown"
        "\n  word 2 after `--`: too long\n  steps[1].na me: required\n  expected an object"
    )
    assert failure.value.mistakes[2] == (("parameters", "A/B"), "unknown")


def test_nobody_who_typed_words_is_told_of_a_body() -> None:
    errors = [
        {"pointer": "#/duration", "detail": "expected a duration"},
        {"pointer": "#/x", "detail": "unknown"},
    ]
    problem = {"type": "urn:errand:problem:invalid", "detail": "Two mistakes.", "errors": errors}
    answering = saying(422, json.dumps(problem).encode(), Content_Type="application/problem+json")
    with listening(answering) as address, pytest.raises(Problem) as failure:
        Remote(Where(address, "errand_x")).ask("GET", "/api/jobs")
    assert str(failure.value) == "for: expected a duration\nx: unknown"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_follower_waits_for_what_passes(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """As of a proxy before an Errand that is updated."""
    away = saying(status, b"<html>", Content_Type="text/html")
    assert followed([away, ended(1), away, log(b"a\n"), ended(1), log(b"", 2)]) == [b"a\n", b""]
    assert capsys.readouterr().err.count("Trying again") == 2


def test_follower_reads_on_after_an_errand_that_was_stopped_ended_its_answer() -> None:
    """The run ends while nobody answers: what it wrote meanwhile is not left out."""
    asked: list[str] = []
    answers = [going, log(b"a\n"), ended(1), log(b"b\n", 2), ended(1), log(b"", 4)]
    assert followed(answers, asked) == [b"a\n", b"b\n", b""]
    assert [path for path in asked if "logs" in path] == [
        f"/api/runs/1/logs?attempt=1&follow=1&offset={offset}" for offset in (0, 2, 4)
    ]


def test_follower_reads_an_attempt_to_its_end_before_the_next() -> None:
    answers = [going, log(b"a\n"), ended(2), log(b"b\n", 2), ended(2), log(b"", 4)]
    again = [ended(2), log(b"c\n"), ended(2), log(b"", 2)]
    assert followed([*answers, *again]) == [b"a\n", b"b\n", b"c\n", b""]


def test_follower_of_the_last_lines_goes_on_behind_them() -> None:
    asked: list[str] = []
    answers = [going, log(b"y\n", 10), ended(2), log(b"z\n", 12), ended(2), log(b"", 14)]
    assert followed(answers, asked, attempt=1, tail=1) == [b"y\n", b"z\n", b""]
    assert [path.partition("?")[2] for path in asked[1:4:2]] == [
        "attempt=1&tail=1",
        "attempt=1&follow=1&offset=12",
    ]


def test_follower_counts_what_was_left_out() -> None:
    asked: list[str] = []
    followed([ended(1), log(b"a\n"), ended(1), log(b"[...]\nz\n", 100), ended(1), log(b"", 108)], asked)
    assert asked[-1].endswith("&offset=108")


HOSTILE = [
    "$(touch x)",
    "`touch x`",
    "\\$(touch x)",
    "a\n$(touch x)",
    "a'; touch x; '",
    "a b",
    "a*",
    "../a",
    "\x1b[2J",
    "",
]


def test_shells_are_given_nothing_but_names_of_jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell evaluates what is proposed, and whoever answers at an address may be anybody."""
    named = [{"name": name, "definition": {"lock": name, "image": name}} for name in [*HOSTILE, "hello"]]
    jobs = {"jobs": [*named, {"name": "a-1", "definition": {"lock": "prod"}}], "next": None}
    answering = saying(200, json.dumps(jobs).encode(), Content_Type="application/json")
    monkeypatch.chdir(tmp_path)
    with listening(answering) as address:
        monkeypatch.setitem(os.environ, "ERRAND_URL", address)
        monkeypatch.setitem(os.environ, "ERRAND_TOKEN", "errand_x")
        assert job_names("") == ["hello", "a-1"]
        assert target_names("") == ["hello", "a-1", "prod"]
        assert target_names("pr") == ["prod"]
        assert image_names("") == ["hello"]
