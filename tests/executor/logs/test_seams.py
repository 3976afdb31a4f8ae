"""What is quick gives what a plain description of masking gives, wherever the stream is cut."""

import base64
import re
import time
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.logs import controls
from executor.logs.encodings import forms
from executor.logs.gaps import FOLDED, Fold, Gap, Overstrike, Unseen
from executor.logs.kinds import Kinds
from executor.logs.redaction import MASK, Redactor

_KEPT = re.compile(rb"\x1b\[[0-9;:]{0,64}m|\n[ \t]*")


def described(data: bytes, secrets: Iterable[bytes]) -> bytes:
    """Mask as `redaction` says it does: look by look, each at the whole stream, byte by byte."""
    patterns = {form for secret in secrets for form in forms(secret)}
    bare = {controls.GAP.sub(b"", form) for form in patterns} - {b""}
    long = {form for form in patterns if len(form) >= FOLDED and not controls.CONTROL_BYTES.search(form)}
    data = look(data, patterns, None)
    data = look(data, bare, Unseen())
    data = look(data, {form for form in patterns if b"\b" not in form}, Overstrike())
    return look(data, long, Fold())


def look(data: bytes, patterns: set[bytes], gap: Gap | None) -> bytes:
    gaps = {place for one in (gap.run.finditer(data) if gap else ()) for place in range(*one.span())}
    places = [place for place in range(len(data)) if place not in gaps]
    text = bytes(data[place] for place in places)
    covered: set[int] = set()
    for pattern in patterns:
        at = text.find(pattern)
        while at >= 0:
            raw = data[places[at] : places[at + len(pattern) - 1] + 1]
            if gap is None or (gap.sign in raw and len(raw) > len(pattern)):
                covered.update(range(at, at + len(pattern)))
            at = text.find(pattern, at + 1)
    out, end = b"", 0
    for first in sorted(at for at in covered if at - 1 not in covered):
        last = next(at for at in range(first, len(text)) if at + 1 not in covered)
        raw = data[places[first] : places[last] + 1]
        out += data[end : places[first]] + MASK
        for kept in _KEPT.findall(raw) if gap else ():
            out += kept + (MASK if isinstance(gap, Fold) and kept[:1] == b"\n" else b"")
        end = places[last] + 1
    return out + data[end:]


def cut(data: bytes, secrets: Iterable[bytes], cuts: Iterable[int]) -> bytes:
    redactor = Redactor(secrets)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return b"".join(redactor.feed(data[start:end]) for start, end in pairwise(edges)) + redactor.flush()


LONG = b"Zk3vQ9xW2mN7pL5tR8yB"
SHORT = b"s3cret"
ODD = b'it\'s "q" & \xc3\xa9'
WRAPPED = base64.b64encode(LONG * 2)
PIECES = [
    *(
        b"order 4711 was paid",
        b"INFO",
        b" ",
        b"=",
        b"0123456789abcdefghij",
        b"\xe2\x9c\x93",
        b"\xc3\xa9",
        b"x",
    ),
    *(b"\x1b[31m", b"\x1b[0m", b"\x1b[K", b"\x1b", b"\x1b]0;t\x07", b"\x1b]8;;u\x1b\\", b"\x1b[", b"\x1b]x"),
    *(
        b"\r",
        b"\r\n",
        b"\n",
        b"\n    ",
        b"\b",
        b"X\b",
        b"\xc3\xa9\b",
        b"\x00",
        b"\xe2\x80\x8b",
        b"\xc2",
        b"\xe2",
    ),
    *(LONG, LONG[:7], LONG[7:], SHORT, SHORT[:3], SHORT[3:], SHORT[:1], SHORT[1:], ODD, ODD[:4], ODD[4:]),
    *(LONG.hex().encode(), WRAPPED, b"\n".join([WRAPPED[:20], WRAPPED[20:40], WRAPPED[40:]]), WRAPPED[:20]),
]


@settings(max_examples=150, deadline=None)
@given(
    secrets=st.lists(st.sampled_from([LONG, SHORT, ODD]), min_size=1, max_size=3),
    stream=st.lists(st.sampled_from(PIECES), max_size=60),
    lines=st.integers(0, 30),
    cuts=st.lists(st.integers(0, 2500), max_size=6),
)
def test_masking_is_as_it_is_described(
    secrets: list[bytes], stream: list[bytes], lines: int, cuts: list[int]
) -> None:
    half = len(stream) // 2
    data = b"".join(stream[:half]) + b"an ordinary line of a log\n" * lines + b"".join(stream[half:])
    assert cut(data, secrets, cuts) == described(data, secrets)


@pytest.mark.parametrize(
    ("data", "at"),
    [
        (b"s\xc3\xa9\b3cret", 3),  # a character of two bytes, taken back after a cut
        (b"s\xc3\xa9\b3cret", 2),
        (b"sx\b3cret", 1),
        (b"s3cret\x1b[1m\x1b[0ms3cr\x1b[met", 10),
    ],
)
def test_cut_at_a_gap_changes_nothing(data: bytes, at: int) -> None:
    assert cut(data, [SHORT], [at]) == described(data, [SHORT])


def test_secret_wrapped_twice_in_a_row_is_one_mask_wherever_it_is_cut() -> None:
    secret = LONG * 3  # its base64 has no padding
    encoded = base64.b64encode(secret)
    data = b"\n".join([encoded[:20], encoded[20:40], encoded[40:]] * 2)
    assert {cut(data, [secret], [at]) for at in range(len(data))} == {b"\n".join([MASK] * 6)}


@pytest.mark.parametrize("gap", [Unseen(), Overstrike(), Fold()])
@given(stream=st.lists(st.sampled_from(PIECES), max_size=30))
def test_what_is_quick_says_no_only_where_nothing_is(gap: Gap, stream: list[bytes]) -> None:
    data = b"".join(stream)
    found = list(gap.run.finditer(data))
    assert gap.is_likely(b"", data, Kinds()) or not found
    within = [data[: one.start()][-1:] + data[one.end() :][:1] for one in found]
    assert gap.may_part_words(data) or not any(len(ends) == 2 and ends.isalnum() for ends in within)
    for at in range(len(data)):
        edge = gap.edge(data, at)
        assert edge <= at
        # Looking from there finds the same gaps, but for the beginning of the one that it is in.
        assert {one.end() for one in gap.run.finditer(data, edge)} == {
            one.end() for one in found if one.end() > edge
        }


def test_colours_cost_a_few_times_what_it_costs_to_look_for_the_secrets() -> None:
    line = b"\x1b[2m08:41:59\x1b[0m \x1b[32mINFO\x1b[0m shop.orders: order 4711 was paid and shipped\n"
    chunk = (line * 1200)[: 64 * 1024]
    secrets = [f"ghp_{'x' * n}0123456789abcdefghij".encode() for n in range(3)]
    redactor = Redactor(secrets)
    patterns = [form for secret in secrets for form in forms(secret)]
    ours: list[float] = []
    plain: list[float] = []
    for _ in range(15):
        for turns, work in (
            (ours, lambda: redactor.feed(chunk)),
            (plain, lambda: [each in chunk for each in patterns]),
        ):
            began = time.process_time()
            work()
            turns.append(time.process_time() - began)
    assert min(ours) < 12 * min(plain)  # it was 25 while every colour was looked at by itself
