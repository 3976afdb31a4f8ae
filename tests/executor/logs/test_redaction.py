import base64
import json
import shlex
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.logs.redaction import MASK, Redactor

SECRET = 'p4ss/w+rd "é" it\'s & <long>'


def masked(data: bytes, *secrets: bytes) -> bytes:
    redactor = Redactor(secrets)
    return redactor.feed(data) + redactor.flush()


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET).lower(),
        repr(SECRET)[1:-1],
        ascii(SECRET)[1:-1],
        repr(SECRET.encode())[2:-1],
        shlex.quote(SECRET)[1:-1].replace("'\"'\"'", "'\\''"),
    ],
)
def test_every_way_to_write_a_secret_is_masked(shown: str) -> None:
    assert masked(f"<{shown}>".encode(), SECRET.encode()) == b"<***>"


@pytest.mark.parametrize("user", ["", "x", "ab", "abc", "x-access-token:", "octocat:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_secret_inside_base64_is_masked_wherever_it_stands(user: str, encode: object) -> None:
    assert callable(encode)
    shown = encode(f"{user}{SECRET}{user}".encode())
    log = masked(b"Authorization: Basic " + shown + b"\n", SECRET.encode())
    assert MASK in log
    # At most the characters that also depend on its neighbours stay.
    kept = log.removeprefix(b"Authorization: Basic ").removesuffix(b"\n").replace(MASK, b"")
    assert len(kept) <= len(encode((user * 2).encode())) + 4


@pytest.mark.parametrize("columns", [64, 76])
def test_base64_that_is_broken_into_lines_is_masked(columns: int) -> None:
    secret = bytes(range(33, 126)) * 2
    encoded = base64.b64encode(secret).decode()
    lines = [encoded[at : at + columns] for at in range(0, len(encoded), columns)]
    assert masked("\n".join(lines).encode(), secret) == b"\n".join([MASK] * len(lines))


def test_lines_of_a_secret_are_masked_each() -> None:
    key = b"-----BEGIN KEY-----\nAAAABBBB\nCCCCDDDD\n}\n-----END KEY-----\n"
    assert masked(b"one: AAAABBBB two: CCCCDDDD } rest", key) == b"one: *** two: *** } rest"
    assert masked(key.replace(b"\n", b"\r\n"), key) == b"***\r\n***\r\n***\r\n}\r\n***\r\n"
    assert masked(b"<" + key + b">", key) == b"<***>"


def test_secret_that_contains_another_leaves_nothing_of_either() -> None:
    assert masked(b"abcdef abc def", b"abcdef", b"abc") == b"*** *** def"
    assert masked(b"xabcabcabx", b"abcab") == b"x***x"


@pytest.mark.parametrize("secret", [b"", b" ", b"\n\n"])
def test_blank_secret_masks_nothing(secret: bytes) -> None:
    assert masked(b"a b\n\nc", secret) == b"a b\n\nc"


def test_only_what_may_become_a_secret_is_held_back() -> None:
    redactor = Redactor([b"s3cret"])
    assert redactor.feed(b"output s3c") == b"output "
    assert redactor.feed(b"ond s3cre") == b"s3cond "
    assert redactor.feed(b"t.") == b"***."
    assert redactor.feed(b"s3") == b""
    assert redactor.flush() == b"s3"


def test_line_is_shown_when_it_ends_though_a_secret_begins_as_it_ends() -> None:
    assert Redactor([b"ghp_0123456789abcdefghij"]).feed(b"waiting\n") == b"waiting\n"


letters = st.binary(min_size=1, max_size=6).map(lambda data: bytes(b"abc/"[byte % 4] for byte in data))


@given(
    secrets=st.lists(letters, max_size=4),
    stream=st.lists(letters, max_size=40),
    cuts=st.lists(st.integers(0, 240), max_size=12),
)
def test_however_the_stream_is_cut_the_result_is_the_same(
    secrets: list[bytes], stream: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(stream)
    redactor = Redactor(secrets)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [redactor.feed(data[start:end]) for start, end in pairwise(edges)]
    assert b"".join(pieces) + redactor.flush() == masked(data, *secrets)


@given(secrets=st.lists(letters, max_size=4), stream=st.lists(letters, max_size=40))
def test_no_secret_survives(secrets: list[bytes], stream: list[bytes]) -> None:
    log = masked(b"".join(stream), *secrets)
    assert not [secret for secret in secrets if secret in log]


def test_few_secrets_cost_little_time() -> None:
    secrets = [f"ghp_{'x' * n}0123456789abcdefghij".encode() for n in range(3)]
    line = b"2024-01-01 INFO shop.orders: order 4711 was paid and shipped, nothing to see here\n"
    chunk = (line * 800)[: 64 * 1024]
    redactor = Redactor(secrets)
    began = time.process_time()
    for _ in range(50):
        redactor.feed(chunk)
    taken = time.process_time() - began
    assert taken < 0.5  # seconds for 3 MiB; a tenth of that where nothing else runs


def test_what_every_supervisor_carries_is_small() -> None:
    root = str(Path(__file__).parents[3])
    seen = "import sys; sys.path.append(sys.argv[1]); import executor.logs.redaction; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-I", "-S", "-c", seen, root], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"dataclasses", "inspect", "typing"} & set(modules)
