"""Groups of lines, whatever a job writes: no line is lost, and nothing nests."""

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from webhooks.pages.ansi import AnsiRenderer
from webhooks.pages.errors import error_in
from webhooks.pages.folds import folded


def rendered(log: bytes) -> str:
    renderer = AnsiRenderer()
    return folded(renderer.feed(log) + renderer.open_line())


class _Depth(HTMLParser):
    """How deep elements are, and that each ends where it should."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.deepest = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.deepest = max(self.deepest, self.open.count("details"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_group_is_folded_by_its_name() -> None:
    page = rendered(b"before\n::group::Install\none\ntwo\n::endgroup::\nafter\n")
    assert '<details class="fold"><summary id="L2" data-n="2" class="group">Install\n</summary>' in page
    assert page.count("</details>") == 1
    assert page.index("two") < page.index("</details>") < page.index("after")


def test_group_is_open_where_it_goes_on_or_has_an_error() -> None:
    assert 'class="fold" open' in rendered(b"::group::A\none\n")
    assert 'class="fold" open' in rendered(b"::group::A\n\x1b[31merror\x1b[0m: x\n::endgroup::\n")
    assert 'class="fold">' in rendered(b"::group::A\n0 errors\n::endgroup::\n")


def test_group_ends_the_one_before_and_stray_ends_are_lines() -> None:
    page = rendered(b"::endgroup::\n##[group]A\n::group::\n::endgroup::\n##[endgroup]\n")
    assert page.count("<details") == page.count("</details>") == 2
    assert 'class="group">group\n</summary>' in page


def test_words_in_a_line_begin_no_group() -> None:
    assert "<details" not in rendered(b"say ::group::A\n:group:\n##[groups]\n")


LINE = st.sampled_from(
    [
        "::group::a",
        "::endgroup::",
        "##[group]<b>",
        "\x1b[1m::group::x\x1b[0m",
        "</details>",
        "\n",
        "::group::\x1b[7m",
    ]
) | st.text(max_size=12)


@given(st.lists(LINE, max_size=40))
def test_hostile_groups_keep_every_line_and_never_nest(rows: list[str]) -> None:
    renderer = AnsiRenderer()
    flat = renderer.feed("\n".join(rows).encode(errors="replace")) + renderer.open_line()
    page = folded(flat)
    assert re.findall(r'data-n="(\d+)"', page) == re.findall(r'data-n="(\d+)"', flat)
    depth = _Depth()
    depth.feed(page)
    depth.close()
    assert depth.open == []
    assert depth.deepest <= 1


def test_very_many_groups_cost_what_they_are_long() -> None:
    assert rendered(b"::group::\n" * 5000).count("<details") == 5000


def test_error_is_found_where_it_is_and_not_where_there_are_none() -> None:
    assert error_in("Error: x") == (0, 5)
    assert error_in("İ error") == (2, 7)
    for line in (
        "0 errors",
        "no errors",
        "errors=0",
        "--no-error",
        "terror",
        "without any error",
        "error: null",
    ):
        assert error_in(line) is None, line
