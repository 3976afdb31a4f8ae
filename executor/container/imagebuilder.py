"""Builds an image of a commit and pushes it; run as `python -I -S imagebuilder.py`, under a supervisor.

Arguments are those of `executor.checkout.builder`, a file that is locked meanwhile (`lock`) and, as JSON
lists, the command lines `build`, `keep` and `push`; `{dockerfile}` and `{context}` in the first are
replaced by whole paths, `{image}` in the second by what was built. `bases` are a local image, its id and
the command that brings it to where this is built; that is done for those that the Dockerfile names. Where
`finished` knows an image that was made of the same, `again` gives it the commit's name instead of all that.
What it did is its output; how it ended it writes to `result`: `Built` and the image, or a word and a
sentence.

A stop comes as one SIGTERM to this process alone. Podman leaves its working containers behind when it is
signalled (and then exits with 0), but tidies up after a step that failed. So only what runs inside of the
container is ended; Podman itself when there is nothing, or when it does not end.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from executor.checkout import finished
from executor.checkout.builder import Builder, BuildFailed, run, say, settle, words_of
from executor.checkout.echo import echoed
from executor.supervisor import descendants, lock

_PATIENCE = 3.0
"""Seconds between SIGTERM and SIGKILL for what runs in the container, and then until the command is told."""

_LOOK = 0.2
"""Seconds between two looks at a command that is being stopped."""

_LINES = 20
"""Last lines of a push that are told when it failed."""

_MOST = 2000
"""Last characters of what the engine says that are told."""

_DIGEST = re.compile(r"\bdigest: (sha256:[0-9a-f]{64})\b")
_ID = re.compile(r"sha256:[0-9a-f]{64}")
_HEEDED = (signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM)


class Stopped(Exception):
    """The build was stopped, and what it ran has ended."""


class ImageBuilder:
    """One build of one image."""

    def __init__(self, words: dict[str, str], token: str) -> None:
        self._checkout = Builder(words, token)
        self._words = words
        self._files = os.path.dirname(words["result"])

    def build(self) -> None:
        """Check out, build and push; raises BuildFailed."""
        self._lock = _locked(self._words.get("lock"))  # until this process ends
        if self._words.get("notice"):
            say(self._words["notice"])
        self._checkout.build()
        root = os.path.realpath(self._checkout.work)
        context = _inside(root, self._words["context"], "context")
        dockerfile = _inside(root, self._words["dockerfile"], "Dockerfile")
        if not os.path.isdir(context):
            raise BuildFailed("SpecInvalid", f"The context {self._words['context']} is no directory.")
        _check_dockerfile(self._words["dockerfile"], dockerfile)
        places = {"{context}": context, "{dockerfile}": dockerfile}
        command = [_filled(word, places) for word in json.loads(self._words["build"])]
        with open(dockerfile, encoding="utf-8", errors="replace") as file:
            text = file.read()
        bases = self._bases(text, command)
        made_of = self._made_of(text, [identity for _, identity, _ in bases])
        image = self._again(made_of) or self._built(command, bases, made_of)
        settle(self._words["result"], "Built", self._pushed() or image)

    def _bases(self, dockerfile: str, command: list[str]) -> list[tuple[str, str, list[str]]]:
        """The local images that the Dockerfile, or an argument for it, names."""
        text = "\n".join([dockerfile, *command])
        bases = json.loads(self._words.get("bases", "[]"))
        return [base for base in bases if base[0].removeprefix("localhost/").removesuffix(":latest") in text]

    def _made_of(self, dockerfile: str, bases: list[str]) -> str | None:
        files = self._checkout.files() if "finished" in self._words else None
        return files and finished.key(files, self._words["inputs"], bases, dockerfile)

    def _again(self, made_of: str | None) -> str | None:
        """Give the image that was made of the same, under the commit's name too, if it is still there."""
        image = made_of and finished.FinishedImages(self._words["finished"]).image(made_of)
        if not image or not _ID.fullmatch(image):
            return None
        again = _with_image(json.loads(self._words["again"]), image)
        if subprocess.run(again, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode:
            return None
        say("Nothing that the image is made of has changed: it is the one that was built before.")
        return image

    def _built(self, command: list[str], bases: list[tuple[str, str, list[str]]], made_of: str | None) -> str:
        for name, _, bring in bases:
            self._call(bring, f"The image {name} cannot be taken from this machine")
        with self._network():
            code = _orderly(command)
        if code:
            self._fail(code)
        image = self._read("image")
        if not _ID.fullmatch(image):
            raise BuildFailed("BuilderDied", "The engine did not say which image it built.")
        if keep := json.loads(self._words.get("keep", "[]")):
            self._call(_with_image(keep, image), "The image cannot be kept on this machine")
        if made_of:
            finished.FinishedImages(self._words["finished"]).add(made_of, image)
        return image

    @contextlib.contextmanager
    def _network(self) -> Iterator[None]:
        """Have a network for what runs in the build; one that is left by a kill is swept."""
        join, leave = (json.loads(self._words.get(name, "[]")) for name in ("join", "leave"))
        if join:
            made = subprocess.run(join, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if made.returncode:
                words = made.stderr.decode(errors="replace").strip()[-_MOST:]
                raise BuildFailed("EngineUnavailable", f"There is no network for the build: {words}")
        try:
            yield
        finally:
            if leave:
                subprocess.run(leave, stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def _call(self, command: list[str], problem: str) -> None:
        code, last = echoed(command)
        if code:
            raise BuildFailed("EngineUnavailable", f"{problem}:\n{''.join(last[-_LINES:])}")

    def _fail(self, code: int) -> None:
        check = json.loads(self._words["check"])
        result = subprocess.run(check, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if result.returncode:
            words = (result.stderr or result.stdout).decode(errors="replace").strip()
            raise BuildFailed("EngineUnavailable", words)
        raise BuildFailed("ImageFailed", f"The build ended with exit code {code}.", code)

    def _pushed(self) -> str | None:
        """Push the image where that is asked for; give its name by digest. Raises BuildFailed."""
        command = json.loads(self._words["push"])
        if not command:
            return None
        repository = command[-1].rpartition(":")[0]
        say(f"Pushing to {repository}.")
        code, last = echoed(command)
        if code:
            raise BuildFailed("PushFailed", "".join(last[-_LINES:]))
        found = _DIGEST.findall("".join(last))
        digest = self._read("digest") or (found[-1] if found else "")
        if not _ID.fullmatch(digest):
            raise BuildFailed("PushFailed", "The engine did not say which digest it pushed.")
        return f"{repository}@{digest}"

    def _read(self, name: str) -> str:
        try:
            with open(os.path.join(self._files, name), encoding="ascii") as file:
                return file.read(200).strip()
        except FileNotFoundError:
            return ""


def _locked(path: str | None) -> int | None:
    """Lock the file together with other builds; gives the descriptor that has to stay open."""
    if path is None:
        return None
    descriptor = lock.together(path)  # which waits for who clears away
    os.makedirs(os.environ["TMPDIR"], 0o700, exist_ok=True)
    return descriptor


def _inside(root: str, path: str, what: str) -> str:
    """Give the real path of `path` in the checkout; raises BuildFailed for what is not in it."""
    real = os.path.realpath(os.path.join(root, path))
    if os.path.isabs(path) or (real != root and not real.startswith(root + "/")):
        raise BuildFailed("SpecInvalid", f"The {what} {path} lies outside of the repository.")
    if not os.path.exists(real):
        raise BuildFailed("SpecInvalid", f"The {what} {path} is not in this commit.")
    return real


def _check_dockerfile(name: str, path: str) -> None:
    if not os.path.isfile(path):
        raise BuildFailed("SpecInvalid", f"The Dockerfile {name} is no file.")
    if path.endswith(".in"):
        # Podman gives these to cpp(1), where `#include` reads any file of this machine.
        raise BuildFailed("SpecInvalid", f"The Dockerfile {name} must not end in .in.")


def _filled(word: str, places: dict[str, str]) -> str:
    """Put the paths into the words that were made for them, which are whole words or a whole value."""
    for name, path in places.items():
        if word in (name, f"--file={name}"):
            return word.replace(name, path)
    return word


def _with_image(command: list[str], image: str) -> list[str]:
    return [image.partition(":")[2] if word == "{image}" else word for word in command]


def _orderly(command: list[str]) -> int:
    """Run the command and give its exit code; a stop ends what it runs first. Raises Stopped."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
    signal.signal(signal.SIGALRM, lambda *_: None)  # one may be left when they are let through again
    pid = os.posix_spawnp(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGTERM),
    )
    stop: _Stop | None = None
    while True:
        number = signal.sigwait(_HEEDED)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if number == signal.SIGTERM and stop is None:
            stop = _Stop(pid)
            signal.setitimer(signal.ITIMER_REAL, _LOOK, _LOOK)
        if stop is not None:
            stop.go_on(time.monotonic())
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED)  # a stop that came at the last moment ends this here
    if stop is not None:
        raise Stopped
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


class _Stop:
    """The ending of a command, step by step."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = time.monotonic()
        self._signalled: set[int] = set()
        self._within = False  # whether anything ran in a container since the stop

    def go_on(self, now: float) -> None:
        """Do what is due at `now`, monotonic."""
        below = descendants.below(self._pid) if sys.platform == "linux" else ()  # elsewhere a virtual machine
        within = [pid for pid in below if _is_elsewhere(pid)]
        self._within = self._within or bool(within)
        late = now >= self._began + _PATIENCE
        for pid in within:
            if late or pid not in self._signalled:
                self._signalled.add(pid)
                descendants.signal_one(pid, signal.SIGKILL if late else signal.SIGTERM)
        if self._pid not in self._signalled and (not self._within or now >= self._began + 2 * _PATIENCE):
            self._signalled.add(self._pid)
            descendants.signal_one(self._pid, signal.SIGTERM)


def _is_elsewhere(pid: int) -> bool:
    """Whether the process has another root directory than this one: it is in a container."""
    try:
        return not os.path.samestat(os.stat(f"/proc/{pid}/root/"), os.stat("/"))
    except OSError:
        return False


def main() -> int:
    """Build what the arguments say; give the exit code."""
    words = words_of(sys.argv[1:])
    try:
        return run(ImageBuilder(words, sys.stdin.read()).build, words["result"])
    except Stopped:
        return 128 + signal.SIGTERM


if __name__ == "__main__":
    sys.exit(main())
