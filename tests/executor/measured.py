"""Runs one of the executor's scripts with its coverage measured, in the forks that it makes too.

`python measured.py ROOT SCRIPT ARGUMENT...`, started in place of `python -I -S SCRIPT ARGUMENT...`.
"""

import os
import runpy
import sys
from typing import NoReturn

from coverage import Coverage

fork, leave = os.fork, os._exit


def start(root: str) -> Coverage:
    os.chdir(root)
    measured = Coverage(
        data_file=os.path.join(root, ".coverage"),
        data_suffix=f"executor.{os.getpid()}.{os.urandom(4).hex()}",
        config_file=os.path.join(root, "pyproject.toml"),
        source=[os.path.join(root, "executor")],
    )
    measured.set_option("run:disable_warnings", ["no-data-collected"])
    measured.start()
    return measured


def main(root: str, script: str) -> None:
    current = start(root)

    def measured_fork() -> int:
        nonlocal current
        pid = fork()
        if pid == 0:
            current.stop()
            current = start(root)
        return pid

    def measured_leave(status: int) -> NoReturn:
        current.stop()
        os.chdir(root)
        current.save()
        leave(status)

    os.fork, os._exit = measured_fork, measured_leave
    sys.argv = sys.argv[2:]
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        current.stop()
        os.chdir(root)
        current.save()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
