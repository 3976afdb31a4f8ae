"""When runs are stopped because their time is up."""

from executor.kubernetes import states
from executor.kubernetes.deadlines import Deadlines
from executor.kubernetes.outcomes import Runs, Waits
from executor.kubernetes.stopping import Stop
from executor.spec import Result

JOB = states.gone("run-1", "run-1", "jobs")


def test_timeout_counts_from_the_moment_at_which_the_start_was_seen() -> None:
    deadlines = Deadlines(timeout=0.3, pending_timeout=60.0)
    deadlines.created(100.0)
    assert deadlines.step(JOB, Waits("Scheduling", "..."), 100.1) is None
    assert deadlines.step(JOB, Runs(100.0), 100.9) is None  # the API tells whole seconds
    assert deadlines.due == 101.2
    assert deadlines.step(JOB, Runs(100.0), 101.1) is None
    assert deadlines.step(JOB, Runs(100.0), 101.2) == Stop(Result.TIMED_OUT, "DeadlineExceeded")


def test_bot_that_was_not_there_never_stops_too_early() -> None:
    deadlines = Deadlines(timeout=10.0, pending_timeout=60.0)
    assert deadlines.step(JOB, Runs(100.0), 110.9) is None
    assert deadlines.step(JOB, Runs(100.0), 111.0) is not None


def test_pending_timeout_ends_it_for_what_it_waits_for() -> None:
    deadlines = Deadlines(timeout=10.0, pending_timeout=60.0)
    deadlines.created(100.0)
    assert deadlines.step(JOB, Waits("ErrImagePull", "401"), 159.9) is None
    late = deadlines.step(JOB, Waits("ErrImagePull", "401"), 160.0)
    assert late == Stop(Result.ERROR, "ErrImagePull", "It did not start in time: 401")
    assert deadlines.step(JOB, Runs(160.0), 160.5) is None  # it did, just then
