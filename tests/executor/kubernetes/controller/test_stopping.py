"""When runs are stopped because their time is up."""

from executor.kubernetes.controller.stopping import Deadlines, Stop
from executor.kubernetes.watching import states
from executor.kubernetes.watching.outcomes import Runs, Waits
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


def test_what_waiting_does_not_mend_is_waited_for_only_so_long() -> None:
    deadlines = Deadlines(timeout=10.0, pending_timeout=60.0)
    deadlines.created(100.0)
    refused, quota = Waits("PodRefused", "it is forbidden", patience=5.0), Waits("QuotaExceeded", "full")
    assert deadlines.step(JOB, refused, 101.0) is None
    assert deadlines.due == 106.0
    assert deadlines.step(JOB, quota, 103.0) is None  # which begins it anew
    assert deadlines.step(JOB, refused, 104.0) is None
    assert deadlines.step(JOB, refused, 108.9) is None
    late = deadlines.step(JOB, refused, 109.0)
    assert late == Stop(Result.ERROR, "PodRefused", "It cannot start: it is forbidden")
    at_once = Deadlines(timeout=10.0, pending_timeout=60.0)
    assert at_once.step(JOB, Waits("ImageMissing", "no name", patience=0.0), 1.0) is not None
    last = Deadlines(timeout=10.0, pending_timeout=3.0)
    last.created(100.0)
    assert last.step(JOB, refused, 101.0) is None
    assert last.due == 103.0
