"""What happens in the demo, one thing after the other, and what has to come of it."""

import time

from demo.github.state import Deployment
from demo.installation import PERSON, PULL, REPOSITORY, ROOT, SECOND
from demo.journey import Failed, Journey, Step, expect

PRICES = (ROOT / "demo" / "repository" / "prices.csv").read_text()


async def _push(journey: Journey) -> str:
    commit = await journey.errand.commit({"NOTES.md": "A first change.\n"})
    journey.github.add_pull(REPOSITORY, PULL, commit, "main")
    journey.came_in(f"push of {commit[:7]} to main")
    answer = await journey.errand.push(commit)
    expect(answer.status_code == 202, f"the door answered {answer.status_code}")
    await journey.check("success", "build shop", 1)
    await journey.message("succeeded")
    return "the image was rebuilt; the commit and the channel know"


async def _comment(journey: Journey, text: str, number: int) -> None:
    journey.came_in(f"octocat comments on {REPOSITORY}#{PULL}: {text}")
    await journey.errand.comment(f"Let us see.\n\n{text}\n")
    await journey.watch(number)


async def _succeeds(journey: Journey) -> str:
    await _comment(journey, "/job run hello NAME='Ada Lovelace'", 1)
    card = await journey.card(1, "succeeded")
    expect("exit code `0`" in card, "the card lacks the exit code")
    await journey.check("success", "hello", 1)
    return "the job got its parameter and ran; the card and the check say it"


async def _fails(journey: Journey) -> str:
    await _comment(journey, "/job run report CODE=3", 2)
    card = await journey.card(2, "failed")
    expect("exit code 3" in card, "the card lacks exit code 3")
    expect("never paid" in card, "the card lacks the last lines of the log")
    await journey.check("failure", "report", 2)
    return "exit code 3 and the last lines came back"


async def _slack(journey: Journey) -> str:
    text = "run migrate SINCE=2024-06-01 DRY_RUN=true"
    journey.came_in(f"octocat types in Slack: /job {text}")
    before = time.perf_counter()
    answer = await journey.errand.slash(text)
    taken = time.perf_counter() - before
    expect(answer.status_code == 200, f"the door answered {answer.status_code}")
    expect(taken < 3, f"Slack was answered after {taken:.1f} s")
    await journey.watch(3)
    await journey.message("migrate #3 succeeded")
    outputs = await journey.outputs(3)
    expect(outputs == {"rows": "1500"}, "the job's outputs are lost")
    return f"Slack was answered after {taken * 1000:.0f} ms, and told how it went"


async def _cancel(journey: Journey) -> str:
    journey.came_in(f"octocat comments on {REPOSITORY}#{PULL}: /job run nightly-backfill")
    await journey.errand.comment("/job run nightly-backfill")
    seen = 0
    async for line in journey.lines(4):
        journey.show(line)
        seen += 1
        if seen == 2:
            journey.came_in(f"octocat comments on {REPOSITORY}#{PULL}: /job cancel #4")
            await journey.errand.comment("/job cancel #4")
    card = await journey.card(4, "cancelled")
    expect("143" in card, "the card lacks the exit code that the job chose")
    return "the job was asked to stop, said so, and chose its exit code"


async def _holds(journey: Journey) -> str:
    commit = await journey.errand.commit({"prices.csv": f"{PRICES}cherries,\n"})
    await _deploy(journey, commit, "prices.csv gains cherries, without a price", workflow=71)
    await journey.watch(5)
    await journey.review(71, "rejected")
    found = await journey.check("failure", "migrate", 5)
    expect(len(found.annotations) == 1, "the line that has no price is not marked")
    return "nothing is deployed; the reason is at the deploy and beside the wrong line"


async def _goes_on(journey: Journey) -> str:
    commit = await journey.errand.commit({"prices.csv": f"{PRICES}cherries,240\n"})
    journey.deployment = await _deploy(journey, commit, "cherries cost 240", workflow=72)
    await journey.watch(6)
    await journey.review(72, "approved")
    await journey.check("success", "migrate", 6)
    return "the migration went through, so the deploy goes on"


async def _deploy(journey: Journey, commit: str, change: str, *, workflow: int) -> Deployment:
    journey.came_in(f"push of {commit[:7]} to main: {change}")
    await journey.errand.push(commit)
    journey.came_in(f"workflow {workflow} waits at production: may it deploy {commit[:7]}?")
    return await journey.errand.workflow_waits(workflow, commit, "production")


async def _again(journey: Journey) -> str:
    if journey.deployment is None:
        raise Failed("nothing was deployed")
    journey.came_in(f"{journey.deployment.sha[:7]} was deployed to production")
    await journey.errand.deployed(journey.deployment)
    await journey.watch(7)
    failed = await journey.check("failure", "smoke-test", 7)
    (journey.errand.home / "status").write_text("open")
    journey.came_in(f"octocat presses Re-run on the check {failed.name}")
    await journey.errand.press(failed)
    await journey.watch(8)
    again = await journey.check("success", "smoke-test", 8)
    expect(again.head_sha == failed.head_sha, "the new check is on another commit")
    return "the same job ran again, on the same commit, and its check is green"


async def _form(journey: Journey) -> str:
    slack = journey.slack
    journey.came_in("octocat chooses Run a job among Slack's shortcuts, and hello among the jobs")
    await slack.shortcut("run_job")
    await slack.choose(await journey.form("Run a job"), "form.job", "hello")
    form = await journey.form("Run hello")
    journey.came_in("octocat fills in NAME: Ada <3, and #ops as the channel that is told")
    await slack.submit(form, {"parameter.NAME": "Ada <3", "channel": slack.channels[0].id})
    for mistake in form.errors.values():
        journey.appeared("in the form, below NAME", mistake)
    expect(set(form.errors) == {"parameter.NAME"}, "the mistake is not shown at its field")
    journey.came_in("octocat fills in NAME: Ada Lovelace")
    await slack.submit(form, {"parameter.NAME": "Ada Lovelace"})
    expect(not form.open, "the form is still there")
    await journey.watch(9)
    await journey.message("hello #9 succeeded")
    return "the mistake stood below its field, and what was filled in ran"


async def _press(journey: Journey) -> str:
    journey.came_in("octocat types in Slack: /job run nightly-backfill")
    await journey.errand.slash("run nightly-backfill")
    seen = 0
    async for line in journey.lines(10):
        journey.show(line)
        seen += 1
        if seen == 2:
            card = await journey.message("nightly-backfill #10")
            journey.came_in("octocat presses Cancel")
            await journey.slack.press(card, "run.cancel", value="10")
    card = await journey.message("nightly-backfill #10 was cancelled")
    expect("run.cancel" not in str(card.blocks), "the card of a run that has ended still has Cancel")
    return "one press asked the job to stop, and the button is gone"


async def _home(journey: Journey) -> str:
    slack, failed = journey.slack, "not mended since"
    journey.came_in("octocat opens Errand's Home in Slack")
    await slack.open_home()
    home = await journey.home(lambda text: failed in text)
    journey.came_in("octocat presses Run beside report, on Home")
    await slack.press(home, "job.run", value="report")
    form = await journey.form("Run report")
    await slack.submit(form, {"channel": slack.channels[0].id})
    await journey.watch(11)
    await journey.message("report #11 succeeded")
    await journey.home(lambda text: failed not in text)
    return "Home shows what failed, runs it, and follows how it went"


async def _approved(journey: Journey) -> str:
    await _asks(journey, PERSON, "/job run remove-unpaid DRY_RUN=false")
    await journey.card(12, "waiting for a yes")
    await _asks(journey, PERSON, "/job approve #12")
    await journey.reply("asked for #12 yourself")
    check = await journey.open_check("remove-unpaid", 12)
    journey.came_in(f"{SECOND} presses Approve on the check")
    await journey.errand.press(check, "approve", author=SECOND)
    await journey.watch(12)
    card = await journey.card(12, "succeeded")
    expect(SECOND in card, "the card lacks who said yes")
    return "nothing ran before another person had said yes, and both names stand on the card"


async def _asks(journey: Journey, person: str, text: str) -> None:
    journey.came_in(f"{person} comments on {REPOSITORY}#{PULL}: {text}")
    await journey.errand.comment(text, author=person)


STEPS = (
    Step("A push rebuilds the image", _push),
    Step("A comment runs a job", _succeeds),
    Step("A job fails with exit code 3", _fails),
    Step("A Slack command runs a job", _slack),
    Step("A long run is cancelled", _cancel),
    Step("A migration that fails holds the deploy", _holds),
    Step("A migration that succeeds lets it go on", _goes_on),
    Step("A check is run again by its button", _again),
    Step("A form in Slack runs a job", _form),
    Step("A press of Cancel in Slack", _press),
    Step("Home in Slack, and a job run from it", _home),
    Step("A job waits for another person's yes", _approved),
)
