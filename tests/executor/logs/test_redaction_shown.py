"""No surface shows a secret, however a program wrote it and whatever stands in between."""

import asyncio
import base64
import html
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages.text import fence
from executor.logs.logfile import LogWriter
from executor.logs.redaction import MASK, Redactor
from executor.logs.store import LogStore
from terminal.screen import Screen
from webhooks.pages.ansi import AnsiRenderer

SECRET = 'p4ss/w+rd "é" it\'s & <long>'
ODD = "a b\"c'd$e`f\\g~h#i!j,k^l=m{n}o[p]q*r?s<t>u|v;w&x(y)z%é''"
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0"
)


def masked(data: bytes, *secrets: str, cuts: tuple[int, ...] = ()) -> bytes:
    redactor = Redactor([secret.encode() for secret in secrets])
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return b"".join(redactor.feed(data[start:end]) for start, end in pairwise(edges)) + redactor.flush()


def escaped(text: str, safe: str) -> str:
    return quote(text, safe=safe)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "base64": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "quote": quote,
    "form": quote_plus,
    "encodeURIComponent": lambda text: escaped(text, "~!*'()"),
    "encodeURI": lambda text: escaped(text, "~!*'();,/?:@&=+$#"),
    "PathEscape": lambda text: escaped(text, "~$&+=:@"),
    "small digits": lambda text: re.sub("%..", lambda one: one[0].lower(), escaped(text, "")),
    "shlex": lambda text: shlex.quote(f"{text} ")[1:-2],
    "repr": lambda text: repr(text)[1:-1],
    "repr with quotes": lambda text: repr(f"'\"{text}")[4:-1],
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON as it is": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON twice": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "HTML": html.escape,
    "HTML of Go": lambda text: html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
}
INSERTS = [
    *(
        "\x1b[31m",
        "\x1b[m\x1b[K",
        "\x00",
        "\x07",
        "\r",
        "\x08",
        "\x7f",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x\x1b\\",
    ),
    *("\u200b", "\u2060", "\ufeff", "\u00ad", "\x1b(B", "\x1b7", "X\x08"),
]


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_is_masked(name: str) -> None:
    for secret in (SECRET, ODD, "simple-Token_123"):
        shown = ENCODINGS[name](secret)
        log = masked(f"<{shown}>".encode(), secret)
        assert MASK in log
        # The last character of base64 also depends on what follows.
        assert len(log) <= len("<***>") + 2 * name.startswith("base64")


@pytest.mark.parametrize(
    "line",
    ['printf %q "$1"', "X=$1; declare -p X", "X=$1; set", 'X=$1; set -x; : "$X"', 'export X="$1"; export -p'],
)
@pytest.mark.parametrize("secret", [ODD, SECRET, "tab\tand\x1bescape 'n' é"])
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_what_shells_print_is_masked(shell: str, line: str, secret: str) -> None:
    if shell == "sh" and ("%q" in line or "declare" in line):
        pytest.skip("only bash has it")
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    told = subprocess.run(
        [shell, "-c", line.replace("set -x;", "exec 2>&1; set -x;"), "-", secret],
        env=environment,
        capture_output=True,
        check=True,
    ).stdout
    log = masked(told, secret)
    assert MASK in log
    assert not re.search(
        rb"p4ss|long|escape|and|a ?b|m\\?\{",
        re.sub(rb"BASH\w*=.*|BASH_EXECUTION_STRING.*|SHELLOPTS.*", b"", log),
    )


def test_parts_of_a_url_and_of_a_token_are_masked_alone() -> None:
    url = "postgres://shop:c0rrect%2Fhorse@db.internal:5432/orders"
    assert masked(b"c0rrect%2Fhorse c0rrect/horse shop orders", url) == b"*** *** shop orders"
    assert masked(base64.b64encode(b"shop:c0rrect/horse"), url).startswith(b"c2hvc")
    assert MASK in masked(base64.b64encode(b"shop:c0rrect/horse"), url)
    for part in TOKEN.split("."):
        assert masked(f"<{part}>".encode(), TOKEN) == b"<***>"


def test_short_and_common_values_leave_logs_readable() -> None:
    log = b"the app of postgres has 1234 rows, abc\n"
    assert (
        masked(log, "postgres://postgres:postgres@db/app", "postgres://u:1234@h/x", "mysql://app:app@h/app")
        == log
    )
    assert masked(b"cab aab YQ== 61", "a") == b"c***b ******b YQ== 61".replace(b"******", b"***")


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("50%<off>:x,y", "50%25<off>:x,y"),
        ("50%<off>:x,y", "50%25<off>%3Ax%2Cy"),
        ("line one\r\nline 2%", "line one%0D%0Aline 2%25"),
        ('it\'s "mine"', "it''s \"mine\""),
        ('it\'s "mine"', 'it\'s ""mine""'),
        ("pa$$w$rd", "pa$$$$w$$rd"),
        ("100%s <5", "100%%s <5"),
        ("a ${b} %{c}", "a $${b} %%{c}"),
    ],
)
def test_what_other_runners_were_reported_to_show_is_masked(secret: str, shown: str) -> None:
    assert masked(f"<{shown}>".encode(), secret) == b"<***>"


@pytest.mark.parametrize("width", [16, 20, 57, 64, 76, 100])
@pytest.mark.parametrize("before", ["", "x", "ab"])
def test_base64_is_masked_however_wide_its_lines_are(width: int, before: str) -> None:
    encoded = base64.b64encode((before + SECRET * 4).encode()).decode()
    lines = "\n".join(encoded[at : at + width] for at in range(0, len(encoded), width))
    for log in (
        masked(lines.encode(), SECRET * 4),
        masked(lines.replace("\n", "\r\n    ").encode(), SECRET * 4),
    ):
        assert len(log.replace(MASK, b"").split()) <= 2
        assert len(b"".join(log.replace(MASK, b"").split())) <= 8


def test_bold_and_underlined_is_masked() -> None:
    assert masked("".join(f"{one}\b{one}" for one in "s3cret").encode(), "s3cret").endswith(MASK)
    assert masked("".join(f"_\b{one}" for one in "s3cret").encode(), "s3cret").endswith(MASK)


def test_colours_end_behind_a_mask_and_a_prompt_is_not_held_back() -> None:
    assert masked(b"\x1b[31ms3c\x1b[m\x1b[Kret!", "s3cret") == b"\x1b[31m***\x1b[m!"
    redactor = Redactor([b"s3cret"])
    assert redactor.feed(b"Go on? ") == b"Go on? "
    assert redactor.feed(b"s\x1b") == b""
    assert redactor.feed(b"[mo") == b"s\x1b[mo"


def test_no_stream_is_held_back_without_a_bound() -> None:
    redactor = Redactor([b"s3cret"])
    written = sum(len(redactor.feed(piece)) for piece in [b"s"] + [b"\x00" * 1000] * 100)
    assert written > 90_000


plain_text = st.text("abcdeXYZ0123/+'\"\\$& <>é%=~", min_size=6, max_size=24).filter(
    lambda text: len(text.strip()) == len(text) and len(set(text)) > 3
)


def shown_by_surfaces(log: bytes, directory: Path) -> list[str]:
    """What the card and Slack, the page, the API and the terminal show, without what has no width."""
    writer = LogWriter(str(directory / "log"), 1_000_000)
    writer.write(log)
    writer.finish()
    with_escapes = [log.decode(errors="replace")]
    lines = asyncio.run(LogStore(directory, 1_000_000).tail("log", 100))
    page = AnsiRenderer()
    rendered = page.feed(log) + page.open_line()
    with_escapes += ["\n".join(lines), fence(lines, limit=100_000)]
    with_escapes.append(html.unescape(re.sub("<[^>]*>", "", rendered)))
    screen = Screen(colours=False)
    with_escapes.append(screen.shown(log) + screen.ended())
    return [re.sub("[\u200b\u2060\ufeff\u00ad\x00\x07\x08\x7f\r]", "", text) for text in with_escapes]


@settings(max_examples=60, deadline=None)
@given(
    secret=plain_text,
    name=st.sampled_from(sorted(ENCODINGS)),
    inserts=st.lists(st.tuples(st.integers(1, 60), st.sampled_from(INSERTS[:-1])), max_size=6),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_no_surface_shows_a_secret(
    tmp_path_factory: pytest.TempPathFactory,
    secret: str,
    name: str,
    inserts: list[tuple[int, str]],
    cuts: list[int],
) -> None:
    encoded = ENCODINGS[name](secret)
    if name.startswith("base64"):
        encoded = encoded[: len(secret.encode()) * 8 // 6]
    noisy = encoded
    for at, insert in sorted(inserts, reverse=True):
        if at < len(encoded):
            noisy = noisy[:at] + insert + noisy[at:]
    data = f"before <{noisy}> behind\n".encode()
    log = masked(data, secret, cuts=tuple(cuts))
    assert log == masked(data, secret), "however it is cut"
    for shown in shown_by_surfaces(log, tmp_path_factory.mktemp("logs")):
        assert encoded not in shown


letters = st.lists(
    st.sampled_from([*"aabbcc", "\x1b[m", "\x1b", "\x00", "\r", "\n", "\b", "\u200b", "[", "m"]), max_size=60
)


@settings(max_examples=300, deadline=None)
@given(
    secrets=st.lists(st.text("abc", min_size=2, max_size=20), min_size=1, max_size=3),
    stream=letters,
    cuts=st.lists(st.integers(0, 100), max_size=8),
)
def test_however_a_stream_with_gaps_is_cut_the_result_is_the_same(
    secrets: list[str], stream: list[str], cuts: list[int]
) -> None:
    data = "".join(stream).encode()
    assert masked(data, *secrets, cuts=tuple(cuts)) == masked(data, *secrets)
