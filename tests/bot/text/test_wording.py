"""What is said back cannot be markup, and near names are found."""

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.text.wording import did_you_mean, listed, nearest, quoted


@settings(deadline=None)
@given(st.text(max_size=200) | st.text(st.sampled_from("`<>!@\\ \n\r|&;#"), max_size=40))
def test_quotation_is_one_piece_of_inline_code_in_the_middle_of_a_sentence(text: str) -> None:
    said = f"There is no {quoted(text)} here."
    tokens = MarkdownIt("commonmark", {"html": True}).parse(said)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert [child.type for child in tokens[1].children or []] == ["text", "code_inline", "text"]


@settings(deadline=None)
@given(st.text(max_size=200))
def test_quotation_has_nothing_that_slack_takes_for_a_mention_or_a_link(text: str) -> None:
    assert not set("<>\n\r") & set(quoted(text))


def test_quotation_of_nothing_is_visible() -> None:
    assert quoted("") == "`''`"
    assert quoted(" ") == "`' '`"


def test_long_quotation_is_cut() -> None:
    assert len(quoted("a" * 10_000)) == 82


def test_near_name_is_found_whatever_its_case() -> None:
    assert nearest("MIGRAET", ["hello", "migrate"]) == "migrate"
    assert did_you_mean("migraet", ["migrate"]) == " Did you mean `migrate`?"
    assert did_you_mean("xyz", ["migrate"]) == ""


def test_long_list_ends_with_how_many_more_there_are() -> None:
    assert listed(["a", "b", "c"], limit=2) == "`a`, `b` and 1 more"
    assert listed(["a", "b"]) == "`a`, `b`"
