"""What can go wrong with an engine itself; what goes wrong with a job is an `Outcome`."""


class EngineUnavailable(Exception):
    """The engine does not answer now; trying again after `delay` seconds makes sense."""

    def __init__(self, message: str, *, delay: float = 5.0) -> None:
        super().__init__(message)
        self.delay = delay
