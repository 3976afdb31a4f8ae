"""Mentions, Home and links, the whole way."""

import json

import pytest

from demo.installation import Installation
from demo.slack import Ephemeral, Message, View

pytestmark = pytest.mark.asyncio(loop_scope="module")

USER = "U012AB3CD"


def shows(blocks: object, *words: str) -> bool:
    """Whether all these words stand in blocks."""
    text = json.dumps(blocks, ensure_ascii=False)
    return all(word in text for word in words)


async def card(errand: Installation, *words: str) -> Message:
    """The message of ours that says so."""
    slack = errand.beside.slack

    def there() -> Message | None:
        ours = (each for each in reversed(slack.messages) if each.user is None)
        return next((each for each in ours if shows([each.text, each.blocks], *words)), None)

    found = await slack.wait_for(there)
    assert found is not None
    return found


async def home(errand: Installation, *words: str) -> View:
    """Octocat's Home, once it says so."""
    slack = errand.beside.slack
    await slack.wait_for(lambda: USER in slack.homes and shows(slack.homes[USER].blocks, *words))
    return slack.homes[USER]


async def test_mention_in_a_thread_runs_a_job_and_is_answered_there(errand: Installation) -> None:
    slack = errand.beside.slack
    root = slack.write("shall we greet them?")
    await slack.mention("run hello NAME=thread", thread=root.ts)
    await slack.repeat()
    found = await card(errand, "hello", "succeeded", "NAME=thread")
    assert found.thread_ts == root.ts
    here = await slack.wait_for(lambda: [each for each in slack.ephemerals if each.thread_ts == root.ts])
    assert [(each.user, "on its way" in each.text) for each in here] == [(USER, True)]
    assert len([each for each in slack.messages if "NAME=thread" in str(each.blocks)]) == 1


async def test_home_follows_a_run_and_cancels_it(errand: Installation) -> None:
    slack = errand.beside.slack
    await slack.open_home()
    await home(errand, "Nothing runs now", '"value": "migrate"')
    await errand.slash("run long")
    view = await home(errand, "*long* <", "is running")
    await slack.press(view, "run.cancel")
    await home(errand, "Nothing runs now")
    await card(errand, "long", "was cancelled")


async def test_home_shows_what_failed_and_runs_it_again(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("run broken")
    failed = await card(errand, "broken", "failed with exit code 3")
    number = failed.text.partition("#")[2].split()[0].strip("\u200b")
    await slack.open_home()
    view = await home(errand, "not mended since", "*broken* <", f'"value": "{number}"')
    await slack.press(view, "run.again", value=number)
    await home(errand, "*broken* <", f'"value": "{int(number) + 1}"')


async def test_run_button_of_home_opens_the_form(errand: Installation) -> None:
    slack = errand.beside.slack
    await slack.open_home()
    view = await home(errand, '"value": "migrate"')
    await slack.press(view, "job.run", value="migrate")
    await slack.wait_for(lambda: any(shows(each.blocks, "First day") for each in slack.views))


async def test_home_of_somebody_unknown_says_how_to_become_known(errand: Installation) -> None:
    slack = errand.beside.slack
    await slack.open_home(user="U0NOBODY1")
    await slack.wait_for(lambda: "U0NOBODY1" in slack.homes)
    assert shows(slack.homes["U0NOBODY1"].blocks, "slack.people")
    assert not shows(slack.homes["U0NOBODY1"].blocks, "migrate")


async def test_link_to_a_run_unfolds_for_who_may_see_it(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("run hello NAME=linked")
    found = await card(errand, "succeeded", "NAME=linked")
    number = found.text.partition("#")[2].split()[0].strip("\u200b")
    address = f"{errand.url}/runs/{number}"
    stranger = await slack.share(address, user="U0NOBODY1")
    message = await slack.share(address)
    await slack.wait_for(lambda: address in message.unfurls)
    assert shows(message.unfurls[address]["blocks"], "hello", "NAME=linked", "run.again")
    assert stranger.unfurls == {}


async def test_command_alone_shows_the_jobs_and_their_forms(errand: Installation) -> None:
    slack = errand.beside.slack

    def forms() -> int:
        return len([each for each in slack.views if shows(each.blocks, "First day")])

    before = forms()
    await slack.slash("")

    def answers() -> list[Ephemeral]:
        return [each for each in slack.ephemerals if "jobs that you may run" in each.text]

    (told,) = await slack.wait_for(answers)
    await slack.press(told, "job.run", value="migrate")
    await slack.wait_for(lambda: forms() > before)
