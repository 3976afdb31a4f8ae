"""What is said of the file of a repository: bounded, and shown as it was written."""

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.messages.repository_files import (
    SHOWN,
    Defined,
    FileCheckName,
    FileNote,
    FileReport,
    changed_file,
    file_annotations,
    file_check,
    wrong_file,
)


def job(name: str, **more: object) -> Job:
    return Job.model_validate({"name": name, "command": "true", **more})


def test_what_a_run_gets_is_said_with_what_governs_it() -> None:
    made = job(
        "shop-a",
        image="shop-app",
        parameters={"REGION": {}},
        env={"PLAIN": "x", "URL": {"secret": "shop-db", "key": "url"}},
        lock=["production", "schema"],
        approval={"from": ["github:octocat"]},
        service_account="",
        size="small",
        resources={"cpu": 2, "memory": "512Mi"},
        schedule={"cron": "@daily"},
        on=["push"],
    )
    image = Image.model_validate({"name": "shop-app", "build": {"repository": "acme/shop"}})
    report = changed_file(Defined(), Defined({"shop-a": made}, {"shop-app": image}))
    assert report.title == "Jobs: 1 added"
    assert report.summary.split("\n")[2:] == [
        "- `shop-a` is new",
        "  - image: `shop-app`, of `acme/shop`",
        "  - parameters: `REGION`",
        "  - variables: `PLAIN`, `URL`",
        "  - of secrets and ConfigMaps: `shop-db`",
        "  - at most 15m, size `small`, 2 cores, 512Mi",
        "  - one at a time, by the lock `production`, `schema`",
        "  - somebody else's yes is needed",
        "  - it acts as nobody in the cluster",
        "  - starts by itself: `@daily` (UTC)",
        "  - starts with pushes that rebuild its image",
        "- image `shop-app` is new",
    ]


def test_many_jobs_and_mistakes_are_counted_and_not_all_told() -> None:
    every = {f"shop-{number}": job(f"shop-{number}") for number in range(200)}
    report = changed_file(Defined(), Defined(every))
    assert report.summary.count(" is new") == SHOWN
    assert "- and 150 more" in report.summary
    assert changed_file(Defined(every), Defined()).title == "Jobs: 200 removed"
    assert changed_file(Defined(every), Defined(every)).title == "Jobs: 200 unchanged"
    assert changed_file(Defined(), Defined()).title == "Jobs: no jobs"
    notes = [FileNote(number, 1, "wrong") for number in range(1, 91)]
    wrong = wrong_file(notes, kept=True)
    assert (wrong.title, len(file_annotations(".errand.yaml", wrong))) == (
        "It has 90 mistakes: What was in force before stays so.",
        90,
    )
    assert "- and 40 more" in wrong.summary
    assert FileReport.of_stored(wrong.stored()) == wrong


def test_what_somebody_wrote_pings_links_and_formats_nothing() -> None:
    hostile = "jobs.**x**: @acme/team #1 <img src=x> [here](http://evil.example.com)\u202e"
    report = wrong_file([FileNote(1, 2, hostile)], kept=False)
    for part in ("**x**", "@acme", "#1", " <img", "](http", "\u202e"):
        assert part not in report.summary
    body = file_check("errand / .errand.yaml", report, FileCheckName(7, "n"), now=0.0).body()
    assert (body["conclusion"], body["external_id"]) == ("failure", "file:7:n")
    assert FileCheckName.read("file:7:n") == FileCheckName(7, "n")
    for other in ("run:7:n", "file:0:n", "file:7:", "file:7:n\n", f"file:{'9' * 20}:n"):
        assert FileCheckName.read(other) is None
