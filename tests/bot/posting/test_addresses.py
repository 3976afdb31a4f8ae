"""Links: to the right page, for as long as they are of use, and open to those who may read the place."""

from urllib.parse import parse_qs, urlsplit

import pytest

from bot.access import links
from bot.errors import AskerError
from bot.tables import Build, Run
from tests.bot.house import House


def row(home: House, *, public: bool = False, age: float = 0.0) -> Run:
    at = home.now - age
    return Run(number=7, key="k", name="n", job="j", cause="comment", actor="a", created_at=at, public=public)


def test_link_opens_the_page_and_ends(home: House) -> None:
    address = urlsplit(home.bot.addresses.of(row(home), open_place=False))
    assert (address.netloc, address.path) == ("errand.example.com", "/runs/7")
    for at, opens in ((home.now, True), (home.now + links.LINK_LIFE + 86400, False)):
        assert links.verify(address.path, address.query, now=at, keys=home.tools.keys) is opens


def test_link_to_something_old_opens_it_too(home: House) -> None:
    query = parse_qs(urlsplit(home.bot.addresses.of(row(home, age=90 * 86400), open_place=False)).query)
    assert float(query["expires"][0]) >= home.now + links.LINK_LIFE - 86400


def test_card_that_is_edited_keeps_its_link(home: House) -> None:
    run = row(home)
    first = home.bot.addresses.of(run, open_place=False)
    home.now += 600
    assert home.bot.addresses.of(run, open_place=False) == first


def test_where_the_world_reads_a_link_opens_nothing_by_itself(home: House) -> None:
    for public in (True, False):  # the place decides: the run may be of none, or of a private repository
        assert "signature" not in home.bot.addresses.of(row(home, public=public), open_place=True)
    assert "signature" in home.bot.addresses.of(row(home, public=True), open_place=False)
    config = home.tools.registry.config
    open_logs = config.model_copy(update={"logs": config.logs.model_copy(update={"public": True})})
    logged = home.without(config=open_logs).bot.addresses
    assert "signature" in logged.of(row(home, public=True), open_place=True)
    assert "signature" not in logged.of(row(home), open_place=True)


def test_build_has_a_page_of_its_own(home: House) -> None:
    build = Build(
        number=3, key="k", name="n", image="i", repository="r", commit="c", cause="x", actor="a", created_at=0
    )
    assert "/builds/3?" in home.bot.addresses.of(build, open_place=False)


def test_without_github_nobody_can_be_allowed_anything(home: House) -> None:
    with pytest.raises(AskerError, match="GitHub is not configured"):
        assert home.without(github=None).bot.host.required
