"""What `errand help` tells: the commands in groups, the words that stand for values, and an example of each.

A command is listed and has an example by its row here; a test walks all of them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """Commands for one purpose; `examples` has a line for each, by its name."""

    title: str
    examples: dict[str, str]


SECTIONS = (
    Section(
        "Start and stop",
        {
            "run": "errand run migrate SINCE=2024-01-01 --wait",
            "rerun": "errand rerun 142 SINCE=2024-06-01 --wait",
            "exec": "errand exec tools --wait -- ls -l",
            "cancel": "errand cancel 142",
            "build": "errand build shop --ref main --wait",
        },
    ),
    Section(
        "Look",
        {
            "jobs": "errand jobs",
            "list": "errand list",
            "runs": "errand runs migrate --result failed --limit 5",
            "status": "errand status migrate",
            "logs": "errand logs 142 --follow",
            "plan": "errand plan migrate SINCE=2024-01-01 --ref main",
            "why": "errand why nightly",
            "locks": "errand locks",
            "freezes": "errand freezes",
        },
    ),
    Section(
        "Say yes or no",
        {
            "approve": "errand approve 142",
            "deny": 'errand deny 142 "after the release"',
        },
    ),
    Section(
        "Hold back",
        {
            "agenda": "errand agenda",
            "backfill": "errand backfill nightly from 2026-01-01 until 2026-01-31",
            "pause": "errand pause nightly for 2h",
            "resume": "errand resume nightly",
            "skip": "errand skip nightly",
            "lock": 'errand lock prod "moving the database" for 2h',
            "unlock": "errand unlock prod",
            "freeze": 'errand freeze "Black Friday" for 2d --environment production',
            "thaw": "errand thaw --environment production",
        },
    ),
    Section(
        "Define jobs, let others in",
        {
            "apply": "errand apply --file jobs.yaml",
            "remove": "errand remove nightly",
            "hook": "errand hook create migrate --name deploys",
            "hook create": "errand hook create migrate --name deploys",
            "hook list": "errand hook list",
            "hook delete": "errand hook delete migrate deploys",
            "hooks": "errand hooks --json",
            "deliveries": "errand deliveries --json",
            "delivery": "errand delivery retry 17",
            "delivery list": "errand delivery list",
            "delivery retry": "errand delivery retry 17",
            "audit": "errand audit --since 7d --kind lock.closed",
            "who": "errand who octocat",
            "session": "errand session list",
            "session list": "errand session list",
            "session end": "errand session end 3",
            "login": "errand login https://errand.example.com",
            "logout": "errand logout",
            "whoami": "errand whoami",
            "repositories": "errand repositories list",
            "repositories list": "errand repositories list",
            "repositories forget": "errand repositories forget acme/shop",
            "token": "errand token create ci --scope run:migrate --expires 90d",
            "token create": "errand token create ci --scope run:migrate --expires 90d",
            "token list": "errand token list",
            "token delete": "errand token delete ci",
            "tokens": "errand tokens",
        },
    ),
    Section(
        "Set up and serve",
        {
            "setup": "errand setup github",
            "setup github": "errand setup github",
            "setup slack": "errand setup slack",
            "check": "errand check --config app.yaml",
            "serve": "errand serve --config app.yaml --port 8000",
            "chat": "errand chat --checkout acme/shop=../shop",
            "demo": "errand demo",
            "schema": "errand schema > app.schema.json",
            "manifest": "errand manifest kubernetes --image ghcr.io/acme/errand:1.0",
            "manifest github": "errand manifest github",
            "manifest kubernetes": "errand manifest kubernetes --image ghcr.io/acme/errand:1.0",
            "manifest slack": "errand manifest slack",
        },
    ),
    Section(
        "About this command",
        {
            "help": "errand help hook create",
            "version": "errand version",
        },
    ),
)

EXAMPLES = {name: example for section in SECTIONS for name, example in section.examples.items()}
"""An example of each command, by its words after `errand`."""

VALUES = {
    "DURATION": "a time span: 90s, 15m, 1h30m or 7d",
    "FILE": "the path of a file",
    "KIND": "a kind of row of the journal, such as lock.closed",
    "FORMAT": "table, or jsonl for a document on each line",
    "IMAGE": "what an image of app.yaml is called",
    "JOB": "what a job is called",
    "KEY=VALUE": "a parameter of a job and its value",
    "N": "a whole number; of a run with or without #",
    "NAME": "what a job, a hook or a token is called",
    "REPOSITORY": "a repository at GitHub: acme/shop",
    "WHY": "a reason, in one line: 'customers cannot pay'",
    "TIME": "a moment: 18:00 or 2026-02-01T08:00",
    "WHO": "a person, a token or a hook: octocat, github:octocat, token:ci",
}
"""Words that stand for values in more than one place."""
