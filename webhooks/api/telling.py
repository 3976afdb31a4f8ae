"""Rows as the API tells them: runs, builds and locks in the shapes of `webhooks.api.responses`."""

from collections.abc import Callable, Mapping, Sequence

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.handlers.orders import counts
from bot.store import Session, image_tags, locks
from bot.tables import Attempt, Build, ImageTag, Lock, Run
from webhooks.api import responses
from webhooks.attempts import Try, tries
from webhooks.view import moment, queued, rfc3339, seconds


class Telling:
    """`url` is the installation's public address; `clock` gives epoch seconds."""

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self._url = url.rstrip("/")
        self._clock = clock

    def run(self, run: Run, ended: Sequence[Attempt]) -> responses.Run:
        """A run; `ended` are the attempts that are over."""
        return {
            "number": run.identity,
            "job": run.job,
            "version": run.version,
            **self._course(run),
            "message": run.message,
            "waiting_for": run.waiting_for,
            "parameters": run.parameters,
            "arguments": run.arguments,
            "repository": run.repository,
            "ref": run.ref,
            "commit": run.commit,
            "image": run.image,
            "digest": run.digest,
            "build": run.build_number,
            "rerun_of": run.rerun_of,
            "scheduled_at": moment(run.tick_at),
            **self._times(run),
            "queued_s": round(queued(run.created_at, run.started_at, run.finished_at, self._clock()), 3),
            "attempts": [self._try(run, each) for each in tries(run, ended)],
            "url": f"{self._url}/runs/{run.number}",
            "logs_url": f"{self._url}/api/runs/{run.number}/logs",
        }

    def _try(self, run: Run, one: Try) -> responses.Attempt:
        took = one.seconds(self._clock())
        return {
            "attempt": one.attempt,
            "result": one.result,
            "reason": one.reason,
            "exit_code": one.exit_code,
            "started_at": moment(one.started_at),
            "finished_at": moment(one.finished_at),
            "duration_s": None if took is None else round(took, 3),
            "logs_url": f"{self._url}/api/runs/{run.number}/logs?attempt={one.attempt}",
        }

    def last(self, run: Run | None) -> responses.LastRun | None:
        """The newest run of a job in short; None where it has none."""
        if run is None:
            return None
        return {
            "number": run.identity,
            "state": run.state,
            "result": run.result,
            "reason": run.reason,
            "exit_code": run.exit_code,
            "created_at": rfc3339(run.created_at),
            "finished_at": moment(run.finished_at),
            "url": f"{self._url}/runs/{run.number}",
        }

    def lock(self, lock: locks.Standing) -> responses.Lock:
        """A target that is closed or held."""
        closed, holder = lock.closed, lock.holder
        return {
            "target": lock.target,
            "closed": None if closed is None else closure(closed),
            "held": None
            if holder is None
            else {
                "run": holder.identity,
                "job": holder.job,
                "actor": holder.actor,
                "state": holder.state,
                "url": f"{self._url}/runs/{holder.number}",
            },
            "waiting": lock.waiting,
        }

    def build(self, build: Build) -> responses.Build:
        """A build."""
        return {
            "number": build.identity,
            "image": build.image,
            **self._course(build),
            "repository": build.repository,
            "commit": build.commit,
            "digest": build.digest,
            **self._times(build),
            "url": f"{self._url}/builds/{build.number}",
            "logs_url": f"{self._url}/api/builds/{build.number}/logs",
        }

    def _course(self, row: Run | Build) -> responses.Course:
        return {
            "state": row.state,
            "result": row.result,
            "reason": row.reason,
            "exit_code": row.exit_code,
            "cause": row.cause,
            "actor": row.actor,
        }

    def _times(self, row: Run | Build) -> responses.Times:
        took = seconds(row.started_at, row.finished_at, self._clock())
        return {
            "created_at": rfc3339(row.created_at),
            "started_at": moment(row.started_at),
            "finished_at": moment(row.finished_at),
            "duration_s": None if took is None else round(took, 3),
        }


def closure(lock: Lock) -> responses.Closed:
    """Who locked, why, and until when."""
    return {
        "actor": lock.actor,
        "reason": lock.reason,
        "since": rfc3339(lock.created_at),
        "until": moment(lock.until),
    }


def standing_tag(session: Session, job: Job, images: Mapping[str, Image]) -> ImageTag | None:
    """The tag that the job runs instead of what its image says; None where none that was chosen counts."""
    row, image = image_tags.of(session, job.name), images.get(job.image or "")
    return row if row is not None and image is not None and counts(row, image) else None


def chosen_tag(row: ImageTag) -> responses.ChosenTag:
    """A tag that was chosen for a job."""
    image = Image(name=row.image, reference=row.origin).tagged(row.tag)
    return {
        "tag": row.tag,
        "reference": image.origin,
        "chosen_by": row.moved_by,
        "chosen_at": rfc3339(row.moved_at),
    }
