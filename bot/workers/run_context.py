"""What a run is, as variables of its environment: the table is in docs/configuration.md."""

from bot.messages.text import iso
from bot.tables import Run


def variables(run: Run, url: str) -> dict[str, str]:
    """The variables of the current attempt of `run`; `url` is where Errand is. Empty: there is no such thing.

    All of them are always there, so that nothing of the job's own can be taken for them.
    """
    known: dict[str, object] = {
        "RUN": run.number,
        "URL": f"{url}/runs/{run.number}",
        "JOB": run.job,
        "ATTEMPT": run.attempt,
        "CAUSE": run.cause,
        "ACTOR": run.actor,
        "COMMIT": run.commit,
        "REF": run.ref,
        "REPOSITORY": run.repository,
        "PULL_REQUEST": run.pull_request,
        "ENVIRONMENT": run.environment,
        "PAYLOAD": None,  # an engine that has one says where
        "SCHEDULE": run.schedule,
        "SCHEDULED_AT": None if run.tick_at is None else iso(run.tick_at),
    }
    texts = {f"ERRAND_{name}": "" if value is None else str(value) for name, value in known.items()}
    return {name: text.replace("\0", "") for name, text in texts.items()} | {"CI": "true"}
