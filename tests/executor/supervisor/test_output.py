import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from executor.logs.logfile import LogWriter
from executor.supervisor.output import Output, Wakes


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_log_that_cannot_be_written_does_not_stop_the_output(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / f"{0:020d}").symlink_to("/dev/full")
    reading, writing = os.pipe()
    output = Output(LogWriter(str(tmp_path / "log"), 1024), [], Wakes(str(tmp_path), writing))
    os.write(output.writing, b"some output")
    assert output.pump() is True
    assert output.problem == "The log is not complete: No space left on device."
    assert output.pump() is False
    os.close(output.writing)
    assert output.pump() is None
    output.finish()
    assert os.read(reading, 10) == b"."


def test_end_does_not_wait_for_somebody_who_writes_for_ever(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    output = Output(LogWriter(str(tmp_path / "log"), 1024), [], Wakes(str(tmp_path), writing))
    flood = subprocess.Popen(["yes"], stdout=output.writing)
    try:
        assert select.select([output.reading], [], [], 10)[0]
        output.finish()
    finally:
        flood.kill()
        flood.wait()
    assert (tmp_path / "log" / "end").exists()
    os.close(reading)


def test_wakes_are_dropped_where_enough_of_them_wait_or_nobody_reads(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    wakes = Wakes(str(tmp_path), writing)
    for _ in range(100_000):
        wakes.log_grew()
    os.close(reading)
    wakes.log_grew()
    wakes.status_changed()
