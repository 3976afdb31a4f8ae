"""How a run or a build ended; pure."""

from executor.spec import Outcome, Result


class Ended(Exception):
    """The end of a run that had none of its own: how, with a sentence for its log and for people."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def error(reason: str, message: str) -> Ended:
    """Give an end that is not the job's fault."""
    return Ended(Outcome(Result.ERROR, reason=reason, message=message))


def lost(message: str) -> Ended:
    """Give the end of a run whose Job or pod is not what it was."""
    return error("ContainerLost", message)
