"""What a supervisor was asked to run, and how its first process is started."""

import os
import signal

from executor.reports import files as reports
from executor.supervisor import files, lock, memory, setup

_RESET = [
    number
    for number in signal.valid_signals()
    if number not in (signal.SIGKILL, signal.SIGSTOP) and number < 32  # beyond are those of real time
]


class CannotStart(Exception):
    """The job could not be started: how the run ends, with a sentence for its log and for people."""

    def __init__(
        self, message: str, *, reason: str | None = None, result: str = "error", code: int | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.result = result
        self.code = code


class JobProcess:
    """The fields of a request, typed."""

    def __init__(self, fields: dict[str, list[bytes]]) -> None:
        def one(name: str) -> str:
            return os.fsdecode(fields.get(name, [b""])[0])

        self.directory = one("run")
        self.log = one("log")
        self.log_size = int(one("log_size"))
        self.boot = one("boot")
        self.refused = one("refused")  # reason: message
        self.root = one("root")  # of the image; made if there is none
        self.tree = one("tree")  # the lock file of the image, which must be `ready` then
        self.workdir = one("workdir")  # below root
        self.setup = fields.get("setup", [b""])[0]
        self.command = fields.get("argument", [])
        self.env = {
            name: value for name, _, value in (field.partition(b"=") for field in fields.get("env", []))
        }
        self.secrets = fields.get("secret", [])
        paths = map(os.fsdecode, fields.get("file_path", []))
        self.files = list(zip(paths, fields.get("file_text", []), strict=True))
        self.memory = int(one("memory") or 0)  # bytes; 0: as much as there is
        self.report = one("report")  # the directory of the files that it writes of itself
        self.payload = fields.get("payload", [None])[0]  # a file beside those
        self.input = fields.get("input", [b""])[0]
        self.timeout = float(one("timeout"))
        self.grace = float(one("grace"))
        self.signal_children = one("signal_children") == "1"


def start(job: JobProcess, output: int) -> int:
    """Start the job's first process, give its pid; raises CannotStart.

    It leads a process group of its own, writes to `output` and reads nothing (or `job.input`). This
    process's working directory becomes the job's, and it keeps a lock on the job's image.
    """
    if job.refused:
        reason, _, message = job.refused.partition(": ")
        raise CannotStart(message, reason=reason)
    _enter(job)
    command = job.command
    if job.setup:
        command = [*map(os.fsencode, setup.SHELL), job.setup, *command]
    program = _find(command[0], job.env.get(b"PATH", b""))
    if job.memory:
        command = memory.limited(command, job.memory)
        program = command[0]
    taken = _offer(job.input) if job.input else os.open(os.devnull, os.O_RDONLY)
    try:
        return os.posix_spawn(
            program,
            command,
            job.env,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, end, to) for end, to in ((taken, 0), (output, 1), (output, 2))
            ],
            setpgroup=0,
            setsigmask=(),
            setsigdef=_RESET,
        )
    except OSError as problem:
        name = os.fsdecode(command[0])
        raise CannotStart(
            f"{name}: cannot execute: {problem.strerror}", result="failed", code=126
        ) from problem
    finally:
        os.close(taken)


def _offer(data: bytes) -> int:
    """Give the reading end of a pipe that has `data`, little enough that a pipe takes it at once."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return reading


def _enter(job: JobProcess) -> None:
    root = job.root or os.path.join(job.directory, "work")
    if job.tree:
        ready = lock.shared(job.tree) is not None and os.path.exists(
            os.path.join(os.path.dirname(root), "ready")
        )
        if not ready:
            raise CannotStart("The image is not there (any more); it has to be built.", reason="ImageMissing")
        os.utime(os.path.dirname(root))  # so that pruning knows the tree as used
    elif not job.root:
        os.makedirs(root, 0o700, exist_ok=True)
    root = os.path.realpath(root)
    if job.report:
        reports.make(job.report)
    if job.payload is not None:
        files.place(job.report, reports.PAYLOAD, job.payload)
    for path, content in job.files:
        try:
            files.place(root, path, content)
        except OSError as problem:
            raise CannotStart(
                f"The file {path} cannot be placed: {problem.strerror}.", reason="FilesInvalid"
            ) from problem
    place = os.path.realpath(os.path.join(root, job.workdir.lstrip("/")))
    if place != root and not place.startswith(root + "/"):
        raise CannotStart(
            f"The working directory {job.workdir} leads out of the image.", reason="WorkdirInvalid"
        )
    try:
        os.chdir(place)
    except OSError as problem:
        message = f"The working directory {job.workdir or root}: {problem.strerror}."
        raise CannotStart(message, reason="WorkdirInvalid") from problem


def _find(name: bytes, search: bytes) -> bytes:
    """Find the program as a shell does: 127 if there is none, 126 if it may not be executed."""
    places = [name] if b"/" in name else [os.path.join(place or b".", name) for place in search.split(b":")]
    found = [place for place in places if os.path.isfile(place)] if name else []
    for place in found:
        if os.access(place, os.X_OK):
            return place
    shown = os.fsdecode(name)
    if found:
        raise CannotStart(f"{shown}: permission denied", result="failed", code=126)
    if b"/" in name and os.path.isdir(name):
        raise CannotStart(f"{shown}: is a directory", result="failed", code=126)
    raise CannotStart(f"{shown}: command not found", result="failed", code=127)
