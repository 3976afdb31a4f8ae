"""A YAML file as plain values with places, whatever is tried with it."""

import time

import pytest

from bot.config.document import TextPosition, read


def _told(content: bytes) -> list[str]:
    return [str(mistake) for mistake in read(content).mistakes]


def test_places_of_keys_and_values_are_kept() -> None:
    document = read(b"a:\n  b: [x, 2]\n")
    assert document.data == {"a": {"b": ["x", 2]}}
    assert document.place(("a", "b"), key=True) == TextPosition(2, 3)
    assert document.place(("a", "b", 1)) == TextPosition(2, 10)
    assert document.place(("a", "nothing")) == TextPosition(1, 1)


def test_scalars_have_the_types_of_yaml_1_2() -> None:
    text = b"[yes, no, true, null, ~, 010, 0x1F, 0o17, 1e3, 1.5, 1_000, 2024-01-01, '1', 12:30, -7]"
    values = ["yes", "no", True, None, None, 10, 31, 15, 1000.0, 1.5, 1000, "2024-01-01", "1", "12:30", -7]
    assert read(text).data == values


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: \xff", "1:4: the file is not UTF-8 text"),
        (b"a: 1\nb: \x00", "2:4: the control character U+0000 is not allowed"),
        (b"a: \x1b[31m", "1:4: the control character U+001B is not allowed"),
        (b"a:\n\t- b", "2:1: not YAML: a tab; YAML is indented with spaces"),
        (b"a: b: c", "1:5: not YAML: mapping values are not allowed here"),
        (b"a: *b", "1:4: not YAML: found undefined alias 'b'"),
        (b"a: 1\nb: 2\na: 3", "3:1: a: given twice; first in line 1"),
        (b"a: {b: 1, b: 2}", "1:11: a.b: given twice; first in line 1"),
        (b"a: b\n---\nc: d", "2:1: not YAML: expected one document, but --- begins another"),
        (b"a: !!python/object/apply:os.system [x]", "1:4: a: the tag"),
        (b"a: !!binary eA==", "1:4: a: the tag"),
        (b"? [a]\n: b", "1:3: expected a name as key"),
        (b"a: .inf", "1:4: a: expected a number that is finite and not too large"),
        (b"a: .nan", "expected a number that is finite"),
        (b"a: 1" + b"0" * 5000, "expected a number that is finite and not too large"),
        (b"a: &a [*a]", "nested more than 20 levels deep"),
        (b"[" * 500, "nested too deeply"),
        (b"[" * 25 + b"]" * 25, "nested more than 20 levels deep"),
        (b"a: &a x\nb: [" + b"*a, " * 101 + b"]", "more than 100 aliases"),
        (b"a" * (1024 * 1024 + 1), "the file is larger than 1024 KiB"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_plain_yaml_is_told_with_its_place(content: bytes, told: str) -> None:
    assert told in "\n".join(_told(content))


def test_aliases_that_multiply_are_refused_before_they_grow() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    start = time.process_time()
    assert "more than 100 aliases" in "\n".join(_told("\n".join(lines).encode()))
    assert time.process_time() - start < 5.0


def test_few_aliases_are_fine() -> None:
    assert read(b"a: &x {k: v}\nb: *x\n").data == {"a": {"k": "v"}, "b": {"k": "v"}}


def test_anchor_that_is_used_twice_is_legal() -> None:
    assert read(b"a: &x 1\nb: *x\nc: &x 2\nd: *x\n").data == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    assert read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n").data == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('jobs:\n  a: {command: "echo}\n  b: x\n', '2:16: not YAML: the " that opens here is not closed'),
        ("url: 'http://x\njobs:\n  a: b\n", "1:6: not YAML: the ' that opens here is not closed"),
        ("url: 'http://x\n---\na: b\n", "1:6: not YAML: the ' that opens here is not closed"),
        (
            'url: "http://x\ncommand: "/job"\njobs: {}\n',
            '1:6: not YAML: the " that opens here is closed only by the next one, in line 2, column 10',
        ),
        (
            "jobs:\n  a: 'it's fine'\n",
            "2:6: not YAML: the ' that opens here is closed in column 9; within the text write ''",
        ),
        (
            'a: {x: "foo, y: "bar"}\n',
            '1:8: not YAML: the " that opens here is closed in column 17; within the text write \\"',
        ),
        ("jobs:\n  a: {command: echo\n", "2:6: not YAML: the { that opens here is not closed, or"),
        ("jobs:\n  a: {command: echo\n  b: {command: x}\n", "is missing, before line 3, column 4"),
        ("proxies: [10.0.0.0/8\njobs: {}\n", "1:10: not YAML: the [ that opens here is not closed, or"),
        ("proxies: [10.0.0.0/8}\n", "1:10: not YAML: the [ that opens here is not closed, or"),
        ("github: {token: ${X}}\n", "1:18: not YAML: expected ',' or '}', but got '{' (within { } and"),
        ('a: ["b" "c"]\n', "1:9: not YAML: expected ',' or ']'"),
        ("jobs:\n  a:\n     command: x\n    image: y\n", "4:5: not YAML: expected <block end>"),
        ("jobs:\n  a:\n     command: x\n    image: y\n", "its block begins in line 2, column 3"),
        ("a: |\n  b\nc\nd: e\n", "3:1: not YAML: expected a : after this key"),
    ],
)
def test_what_is_not_closed_is_told_where_it_opens(content: str, told: str) -> None:
    assert told in "\n".join(_told(content.encode()))
