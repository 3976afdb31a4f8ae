"""Links and sessions: what opens what, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access import links
from executor.spec import Secret

NOW = 1_700_000_000
OLD, NEW = links.derive([Secret("old secret"), Secret("new secret")])


def test_link_opens_its_page_with_log_and_events_and_nothing_else() -> None:
    query = links.sign("/runs/142", expires=NOW + 60, keys=(NEW,))

    opens = {
        path
        for path in (
            "/runs/142",
            "/runs/142/log",
            "/runs/142/events",
            "/runs/142/",
            "/runs/142/log/x",
            "/runs/14",
            "/runs/1420",
            "/runs/143",
            "/builds/142",
            "/",
            "/jobs/migrate",
            "/api/runs/142",
            "/runs/142\n",
            "/runs/٣",
        )
        if links.verify(path, query, now=NOW, keys=(NEW,))
    }

    assert opens == {"/runs/142", "/runs/142/log", "/runs/142/events"}


def test_link_ends_when_it_says() -> None:
    query = links.sign("/builds/7", expires=NOW, keys=(NEW,))

    assert links.verify("/builds/7", query, now=NOW - 0.5, keys=(NEW,))
    assert not links.verify("/builds/7", query, now=NOW, keys=(NEW,))


def test_a_later_end_needs_another_signature() -> None:
    query = links.sign("/runs/1", expires=NOW, keys=(NEW,))

    assert not links.verify("/runs/1", query.replace(str(NOW), str(NOW + 99)), now=NOW, keys=(NEW,))


def test_link_of_an_old_secret_opens_while_that_is_configured() -> None:
    query = links.sign("/runs/1", expires=NOW + 1, keys=(OLD,))

    assert links.verify("/runs/1", query, now=NOW, keys=(NEW, OLD))
    assert not links.verify("/runs/1", query, now=NOW, keys=(NEW,))


def test_bots_with_the_same_secrets_have_the_same_keys() -> None:
    assert links.derive([Secret("old secret"), Secret("new secret")]) == (OLD, NEW)


def test_without_a_key_nothing_is_signed_and_nothing_opens() -> None:
    with pytest.raises(ValueError, match="no secret is configured"):
        links.sign("/runs/1", expires=NOW, keys=())
    with pytest.raises(ValueError, match="no secret is configured"):
        links.session("0" * 64, expires=NOW, keys=())
    query = links.sign("/runs/1", expires=NOW + 1, keys=(NEW,))
    assert not links.verify("/runs/1", query, now=NOW, keys=())


@pytest.mark.parametrize("path", ["/runs/0", "/runs/01", "/runs/-1", "/runs/1/log", "/jobs/x", "/", "runs/1"])
def test_only_pages_of_runs_and_builds_are_signed(path: str) -> None:
    with pytest.raises(ValueError, match="not the page"):
        links.sign(path, expires=NOW, keys=(NEW,))


@pytest.mark.parametrize(
    "change",
    [
        lambda query: "",
        lambda query: query + "&expires=1",
        lambda query: query + "&signature=x",
        lambda query: query.replace("signature=", "signature=%00"),
        lambda query: query.replace("signature=", "signature=%F6%FF"),
        lambda query: query[:-1],
        lambda query: query.replace("expires=", "expires=0"),
        lambda query: query.replace("expires=", "expires=%D9%A1"),
        lambda query: query + "&x=" + "y" * 4000,
        lambda query: query + "&a=1" * 20,
        lambda query: "signature=x&expires=99999999999999999999",
    ],
)
def test_a_changed_query_opens_nothing(change: object) -> None:
    assert callable(change)
    query = links.sign("/runs/1", expires=NOW + 1, keys=(NEW,))

    assert not links.verify("/runs/1", change(query), now=NOW, keys=(NEW,))


def test_what_others_put_behind_a_link_does_no_harm() -> None:
    query = links.sign("/runs/1", expires=NOW + 1, keys=(NEW,))

    assert links.verify("/runs/1", query + "&from=12:1:&utm_source=mail", now=NOW, keys=(NEW,))


def test_session_gives_the_token_until_it_ends() -> None:
    value = links.session("ab" * 32, expires=NOW, keys=(OLD,))

    assert links.session_token(value, now=NOW - 1, keys=(NEW, OLD)) == ("ab" * 32, NOW)
    assert links.session_token(value, now=NOW, keys=(OLD,)) is None
    assert links.session_token(value, now=NOW - 1, keys=(NEW,)) is None
    assert links.session_token(value.replace("ab", "cd", 1), now=NOW - 1, keys=(OLD,)) is None


def test_link_signature_makes_no_session() -> None:
    signature = links.sign("/runs/1", expires=NOW + 1, keys=(NEW,)).rpartition("=")[2]

    assert links.session_token(f"{'ab' * 32}.{NOW + 1}.{signature}", now=NOW, keys=(NEW,)) is None


@given(path=st.text(), query=st.text(), cookie=st.text())
def test_no_text_opens_anything_or_breaks_it(path: str, query: str, cookie: str) -> None:
    assert not links.verify(path, query, now=NOW, keys=(NEW, OLD))
    assert not links.verify("/runs/1", query, now=NOW, keys=(NEW, OLD))
    assert links.session_token(cookie, now=NOW, keys=(NEW, OLD)) is None
