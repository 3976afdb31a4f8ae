"""Links to pages unfold for whoever may see what they lead to, and nothing is said of any other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access import links
from demo.slack import Message
from tests.bot.handlers.slack.hands import OCTOCAT, let_in, text_of
from tests.bot.house import House, house

PAGES = "https://errand.example.com"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house in which job `check` has run as #1."""
    async with house(tmp_path, changes={"slack": {"people": {"U0READER": "reader"}}}) as made:
        let_in(made)
        await made.types("run check")
        yield made


async def shared(home: House, *addresses: str, user: str = OCTOCAT) -> Message:
    return await home.slack.share(*addresses, user=user)


def signed(home: House, path: str, *, after: float = 60.0) -> str:
    query = links.sign(path, expires=int(home.now + after), keys=home.tools.keys)
    return f"{PAGES}{path}?{query}"


async def test_link_to_a_run_unfolds_into_its_card(home: House) -> None:
    address = f"{PAGES}/runs/1"
    message = await shared(
        home, address, f"{PAGES}/jobs/check", f"{PAGES}/runs/7", "https://example.org/runs/1"
    )
    assert list(message.unfurls) == [address, f"{PAGES}/jobs/check"]
    card = text_of(message.unfurls[address]["blocks"])
    for words in ("*check* <https://errand.example.com/runs/1|#1>", '"run.cancel"'):
        assert words in card
    assert "signature" not in card
    assert '"job.run"' in text_of(message.unfurls[f"{PAGES}/jobs/check"]["blocks"])


async def test_who_may_not_unfolds_nothing(home: House) -> None:
    for user in ("U0READER", "U0NOBODY"):
        message = await shared(home, f"{PAGES}/runs/1", f"{PAGES}/jobs/check", user=user)
        assert message.unfurls == {}


async def test_channel_that_another_organisation_reads_gets_nothing(home: House) -> None:
    home.slack.channels[0].shared = True
    assert (await shared(home, f"{PAGES}/runs/1")).unfurls == {}


async def test_link_with_a_signature_counts_only_while_that_is_valid(home: House) -> None:
    good, old = signed(home, "/runs/1"), signed(home, "/runs/1", after=-1)
    forged = good[:-4] + "AAAA"
    other = signed(home, "/runs/2").replace("/runs/2", "/runs/1")
    escaped = good.replace("&", "&amp;")
    message = await shared(home, good, old, forged, other, escaped)
    assert list(message.unfurls) == [good, escaped]
    assert good.replace("&", "&amp;") in text_of(message.unfurls[good]["blocks"])


@pytest.mark.parametrize(
    "address",
    [
        "http://errand.example.com/runs/1",
        "https://errand.example.com:8443/runs/1",
        "https://octocat@errand.example.com/runs/1",
        "https://errand.example.com.evil.example/runs/1",
        "https://errand.example.com/runs/1/log",
        "https://errand.example.com/runs/01",
        "https://errand.example.com//runs/1",
        "https://errand.example.com/runs/1?signature=x",
        "https://errand.example.com/runs/1?expires=1&expires=2",
    ],
)
async def test_address_that_is_no_page_of_ours_unfolds_nothing(home: House, address: str) -> None:
    assert (await shared(home, address)).unfurls == {}


async def test_message_that_is_being_written_unfolds_nothing(home: House) -> None:
    message = home.slack.write(f"{PAGES}/runs/1", user=OCTOCAT)
    person, channel = home.slack._person(OCTOCAT), home.slack.channels[0]
    event = home.slack.events.link_shared(message, person, [f"{PAGES}/runs/1"], channel)
    await home.slack.event(event | {"source": "composer"})
    assert message.unfurls == {}
