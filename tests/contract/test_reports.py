"""What a job reports besides its exit code, on every engine."""

import asyncio

from executor.spec import Headway, Outcome, Report, Result, Secret
from tests.contract.cases import EngineCase, ended, sh, started, text


async def test_job_reports_outputs_a_summary_and_its_progress(case: EngineCase, key: str) -> None:
    script = """
        echo image=shop:1.2 >> $ERRAND_OUTPUTS
        printf 'notes<<END\\nfirst\\nsecond\\nEND\\n' >> $ERRAND_OUTPUTS
        printf '# Done\\n\\nAll of *it*.\\n' > $ERRAND_SUMMARY
        echo 2/4 >> $ERRAND_PROGRESS
        echo 3/4 >> $ERRAND_PROGRESS
        exit 3
    """
    outcome = await ended(case.engine.run(sh(key, script, image=await case.image())))
    assert (outcome.result, outcome.exit_code) == (Result.FAILED, 3)
    outputs = {"image": "shop:1.2", "notes": "first\nsecond"}
    assert outcome.report == Report(outputs, "# Done\n\nAll of *it*.", Headway(3, 4))


async def test_job_that_reports_nothing_has_an_empty_report(case: EngineCase, key: str) -> None:
    outcome = await ended(case.engine.run(sh(key, "true", image=await case.image())))
    assert (outcome.report, outcome.message) == (Report(), None)


async def test_progress_is_told_while_the_job_runs(case: EngineCase, key: str) -> None:
    script = "echo 1/3 > $ERRAND_PROGRESS; sleep 60"
    spec = sh(key, script, image=await case.image())
    async for progress in case.engine.run(spec):
        assert not isinstance(progress, Outcome)
        if isinstance(progress, Headway):
            break
    assert progress == Headway(1, 3)
    await case.engine.stop(key)
    outcome = await ended(case.engine.run(spec))
    assert (outcome.result, outcome.report.headway) == (Result.CANCELLED, Headway(1, 3))


async def test_secret_is_masked_in_all_that_is_reported(case: EngineCase, key: str) -> None:
    script = """
        echo a=x-$TOKEN-y >> $ERRAND_OUTPUTS
        echo b=$(printf %s $TOKEN | base64) >> $ERRAND_OUTPUTS
        echo "It is $TOKEN." > $ERRAND_SUMMARY
    """
    secret = Secret("hunter2-hunter2")
    spec = sh(key, script, image=await case.image(), env={"TOKEN": secret.reveal()}, secrets=(secret,))
    outcome = await ended(case.engine.run(spec))
    assert outcome.report == Report({"a": "x-***-y", "b": "***"}, "It is ***.")


async def test_report_is_read_up_to_its_bounds_and_says_so(case: EngineCase, key: str) -> None:
    script = """
        i=0; while [ $i -lt 70 ]; do echo n$i=$i; i=$((i+1)); done > $ERRAND_OUTPUTS
        head -c 300000 /dev/zero | tr '\\0' x > $ERRAND_SUMMARY
        echo 'no progress' > $ERRAND_PROGRESS
    """
    outcome = await ended(case.engine.run(sh(key, script, image=await case.image())))
    report = outcome.report
    assert (len(report.outputs), report.outputs["n63"], report.headway) == (64, "63", None)
    assert report.summary is not None
    assert (report.summary[:65536], len(report.summary) < 65700) == ("x" * 65536, True)
    assert outcome.message == "ERRAND_OUTPUTS, line 65: left out, there are 64 outputs before."


async def test_what_is_no_file_reports_nothing_and_keeps_nobody_waiting(case: EngineCase, key: str) -> None:
    script = """
        for f in $ERRAND_OUTPUTS $ERRAND_SUMMARY $ERRAND_PROGRESS; do rm -f $f; done 2>/dev/null
        ln -s /etc/passwd $ERRAND_SUMMARY; mkfifo $ERRAND_OUTPUTS; mkdir $ERRAND_PROGRESS
        true
    """
    outcome = await ended(case.engine.run(sh(key, script, image=await case.image())))
    assert (outcome.result, outcome.report) == (Result.SUCCEEDED, Report())


async def test_report_survives_whoever_attended_the_run(case: EngineCase, key: str) -> None:
    script = "echo a=1 > $ERRAND_OUTPUTS; sleep 1; echo b=2 >> $ERRAND_OUTPUTS"
    spec = sh(key, script, image=await case.image())
    await started(case.engine.run(spec))
    outcome = await ended(case.engine.run(spec))
    again = await asyncio.wait_for(ended(case.engine.run(spec)), 30)
    assert outcome.report.outputs == again.report.outputs == {"a": "1", "b": "2"}
    assert await text(case.logs, key) == ""
