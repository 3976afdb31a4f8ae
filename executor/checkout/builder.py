"""Builds one tree (see `executor.process.trees` for its files); run as `python -I -S builder.py`.

Arguments: `name=value` words. The token comes on standard input, so that it is in no argument and in
no environment but git's. What it did is its output; why it failed it writes to `result`: a line with
the reason, then the message. Its exit code is the setup's own.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from executor.checkout.git import Git, GitFailed
from executor.supervisor import lock

_HEADS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_FETCH = (
    "fetch",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-write-fetch-head",
    "--update-head-ok",  # a job may have checked out the branch, in the tree that it runs in
)


class BuildFailed(Exception):
    """The build's end: one word, a sentence, and the exit code."""

    def __init__(self, reason: str, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.reason = reason
        self.code = code


class Builder:
    """One build."""

    def __init__(self, words: dict[str, str], token: str) -> None:
        self._repository = words["repository"]
        self._commit = words["commit"]
        self._url = words["url"]
        self._setup = words.get("setup", "")
        # Only the files, for the context of an image: the file `.git` of a worktree names a path of this
        # machine and differs in every tree, so that no layer with it would be found in a cache.
        self._bare = "bare" in words
        self._mirror = words["mirror"]
        # Not `-C`: from a broken mirror git would walk up to a repository around it, and prune that.
        self._in_mirror = f"--git-dir={self._mirror}"
        self._tree = words["tree"]
        self.work = os.path.join(self._tree, "work")
        self._ready = os.path.join(self._tree, "ready")
        self._git = Git(self._mirror, self._url, token, os.environ)
        self._stopped = False

    def build(self) -> None:
        """Make the tree ready unless it is, and hold it as long as this process is; raises BuildFailed."""
        for path in (self._tree, self._mirror):
            os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        while not self._hold():
            self._alone(f"{self._tree}.lock", self._make)
        os.utime(self._tree)

    def files(self) -> str | None:
        """Git's name of all files of the commit, None if it does not say."""
        return self._git.answer(self._in_mirror, "rev-parse", "--verify", f"{self._commit}^{{tree}}")

    def _hold(self) -> bool:
        descriptor = lock.shared(f"{self._tree}.lock")
        if descriptor is not None and os.path.exists(self._ready):
            return True
        if descriptor is not None:
            os.close(descriptor)
        return False

    def _alone(self, path: str, action: Callable[[], None]) -> None:
        descriptor = lock.alone(path, wait=False)
        if descriptor is None:
            say("Waiting for another build of the same.")
            descriptor = lock.alone(path, wait=True)
        try:
            action()
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _make(self) -> None:
        if os.path.exists(self._ready):  # by the build that was waited for
            return
        self._discard()
        try:
            self._alone(f"{self._mirror}.lock", self._check_out_or_mend)
        except GitFailed as failure:
            raise BuildFailed("FetchFailed", f"git: {failure}") from failure
        say(f"Checked out {self._commit}.")
        os.mkdir(os.path.join(self._tree, "home"), 0o700)
        if self._setup:
            self._set_up()
        _write_durably(self._ready, "")

    def _discard(self) -> None:
        """Remove what a build that was cut short left of the tree."""
        if os.path.isdir(self._tree):
            trash = f"{self._tree}.trash"
            _remove(trash)
            os.rename(self._tree, trash)
            _remove(trash)

    def _check_out_or_mend(self) -> None:
        try:
            self._check_out()
        except GitFailed as failure:
            if not failure.mirror_is_broken:
                raise
            say("The mirror is broken; it is fetched anew.")
            for path in (self._mirror, self._tree):
                _remove(path)
            self._check_out()

    def _check_out(self) -> None:
        mirror = self._in_mirror
        if not os.path.exists(os.path.join(self._mirror, "HEAD")):
            kind = ["--object-format=sha256"] if len(self._commit) == 64 else []
            self._git.run("init", "--quiet", "--bare", "--template=", *kind, self._mirror)
        if not self._has_commit():
            say(f"Fetching {self._repository}.")
            self._git.reach(mirror, *_FETCH, "--prune", "--", self._url, *_HEADS)
        if not self._has_commit():  # on no branch, such as a pull request's
            self._git.reach(mirror, *_FETCH, "--", self._url, self._commit)
        if self._bare:
            os.mkdir(self._tree, 0o700)
            os.mkdir(self.work)
            index = os.path.join(self._tree, "index")
            words = ("read-tree", "--reset", "-u", "--no-recurse-submodules", self._commit)
            self._git.run(mirror, f"--work-tree={self.work}", *words, GIT_INDEX_FILE=index)
            return
        self._git.run(mirror, "worktree", "prune")
        os.mkdir(self._tree, 0o700)
        self._git.run(mirror, "worktree", "add", "--quiet", "--detach", "--force", self.work, self._commit)

    def _has_commit(self) -> bool:
        return self._git.succeeds(self._in_mirror, "cat-file", "-e", f"{self._commit}^{{commit}}")

    def _set_up(self) -> None:
        env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        env["HOME"] = os.path.join(self._tree, "home")
        signal.signal(signal.SIGTERM, self._note_stop)  # the setup gets it too, and chooses the exit code
        say("Setup:")
        command = ["bash", "--noprofile", "--norc", "-e", "-c", self._setup, "setup"]
        try:
            code = subprocess.run(
                command, cwd=self.work, env=env, stdin=subprocess.DEVNULL, check=False
            ).returncode
        except OSError as problem:
            raise BuildFailed("SetupFailed", f"bash: {problem.strerror}", 127) from problem
        if code or self._stopped:
            _remove(self._tree)
            code = code if code >= 0 else 128 - code
            raise BuildFailed("SetupFailed", f"The setup ended with exit code {code}.", code)

    def _note_stop(self, number: int, frame: object) -> None:
        self._stopped = True


def _remove(path: str) -> None:
    import shutil  # seldom needed, and slow to import: it knows every kind of archive

    shutil.rmtree(path, ignore_errors=True)


def say(line: str) -> None:
    """Write a line of the builder's own into the log."""
    print(line, flush=True)


def _write_durably(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def settle(path: str, word: str, sentence: str) -> None:
    """Leave word for the engine in the file `path` of how the build ended."""
    _write_durably(path, f"{word}\n{sentence}\n")


def run(build: Callable[[], None], result: str) -> int:
    """Call `build`, leave its failure in the file `result`, give the exit code."""
    try:
        build()
    except BuildFailed as failure:
        if failure.reason != "FetchFailed":  # which git has said itself
            say(str(failure))
        settle(result, failure.reason, str(failure))
        return failure.code or 1
    except OSError as problem:
        say(str(problem))
        settle(result, "BuildFailed", str(problem))
        return 1
    return 0


def words_of(arguments: Sequence[str]) -> dict[str, str]:
    """Give the `name=value` words by their names."""
    return {name: value for name, _, value in (word.partition("=") for word in arguments)}


if __name__ == "__main__":
    words = words_of(sys.argv[1:])
    sys.exit(run(Builder(words, sys.stdin.read()).build, words["result"]))
