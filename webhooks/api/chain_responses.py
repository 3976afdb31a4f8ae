"""What the API says of the chain that a run is of."""

from typing import Self

from bot import tables
from bot.messages import reason
from webhooks.api.shapes import Shape, Text


class Followed(Shape):
    """A job that was to follow a run: the number of its `run`, or `reason` in words why there is none."""

    job: str
    run: int | None
    reason: Text | None

    @classmethod
    def of_run(cls, run: tables.Run) -> list[Self] | None:
        """What became of all; None before that is decided, and where there are none."""
        if run.followed is None:
            return None
        words = [reason(each["why"]) if "why" in each else None for each in run.followed]
        return [
            cls(job=each["job"], run=each.get("run"), reason=sentence)
            for each, sentence in zip(run.followed, words, strict=True)
        ]
