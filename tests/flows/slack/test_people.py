"""Who somebody is, the whole way: by the list, by a verified address, and nobody."""

import pytest

from demo.installation import Installation
from demo.slack import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _card(errand: Installation, name: str) -> Message:
    """The message of the run that greets so, when it has ended well."""
    slack = errand.beside.slack

    def ended() -> Message | None:
        cards = [each for each in slack.messages if name in str(each.blocks)]
        return next((each for each in cards if "succeeded" in each.text), None)

    return await slack.wait_for(ended)


async def _answer(errand: Installation, user: str) -> str:
    """What somebody alone was told last, once they were."""
    slack = errand.beside.slack
    await slack.wait_for(lambda: any(each.user == user for each in slack.ephemerals))
    return [each.text for each in slack.ephemerals if each.user == user][-1]


async def test_guests_and_people_of_other_workspaces_are_told_that_they_are(errand: Installation) -> None:
    slack = errand.beside.slack
    guest = slack.add_person("guest", guest="restricted", email="ada@acme.com")
    stranger = slack.add_person("stranger", team="T0OTHER", email="ada@acme.com")
    for person, words in ((guest, "You are a guest"), (stranger, "of another Slack workspace")):
        await slack.slash("run hello NAME=Nobody", user=person.id)
        assert words in await _answer(errand, person.id)
    assert not any("Nobody" in str(each.blocks) for each in slack.messages)


async def test_member_with_a_verified_address_is_their_account(errand: Installation) -> None:
    slack, github = errand.beside.slack, errand.beside.github
    github.add_person("acme/shop", "ada", "write")
    github.add_member("acme", "ada", "ada@acme.com", domains=["acme.com"])
    for installation in github.state.installations.values():
        installation.permissions["members"] = "read"
    ada = slack.add_person("ada", email="Ada@acme.com")
    await slack.slash("run hello NAME=Ada", user=ada.id)
    card = await _card(errand, "Ada")
    assert f"<@{ada.id}>" in str(card.blocks)
    token = await errand.token("reader", "read")
    runs = (await errand.get("/api/runs", token=token)).json()
    assert [each["actor"] for each in runs["runs"] if each["parameters"] == {"NAME": "Ada"}] == ["slack:ada"]
    other = slack.add_person("other", email="other@acme.com")
    await slack.slash("run hello NAME=Other", user=other.id)
    assert "has verified the e-mail address" in await _answer(errand, other.id)


async def test_listed_guest_may_and_their_card_says_that_they_are_one(errand: Installation) -> None:
    slack = errand.beside.slack
    slack.add_person("octocat", id="U012AB3CD", guest="ultra_restricted")
    await slack.slash("run hello NAME=Listed")
    assert "<@U012AB3CD> (guest)" in str((await _card(errand, "Listed")).blocks)
