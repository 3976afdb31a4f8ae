"""How shells run what a job says, on every engine. Imports nothing: supervisors carry it."""

PREFACE = (
    "trap 'errand=$?; wait; case $errand in 151) errand=143;; esac; exit $errand' URG; "  # 151: wait heard it
)
"""Before a text that a shell runs: on SIGURG it goes on to no other command, waits for what it started, and
ends with the exit code of that. A shell that SIGTERM ends would take what it runs with it.

SIGURG, because nobody sets a trap for it and whoever does not expect it is not hurt by it.
"""

_SCRIPT = PREFACE + 'errand_setup=$1; shift; eval "$errand_setup"; unset errand_setup; exec "$@"'
"""The operator's setup, then the command, in the same shell. No word of either is in this text."""

SHELL = ("bash", "--noprofile", "--norc", "-e", "-c", _SCRIPT, "setup")
"""What goes before the setup's text, which the words of the command follow."""

_SHELLS = frozenset({"sh", "bash", "dash", "ash"})

_FIND = """P=
for d in /proc/[0-9]*; do
  c='' p='' g=0 i=0
  { read -r c <$d/cmdline; } 2>/dev/null
  case $c in *"$1"*) ;; *) continue;; esac
  while read -r n v; do
    case $n in PPid:) p=$v;; SigIgn:) i=$v;; SigCgt:) g=$v;; esac
  done 2>/dev/null <$d/status || continue
  case $p in 0|1) ;; *) continue;; esac
  case $g in *[4-7c-f]?????) ;; *) continue;; esac
  case $i in *[4-7c-f]???) continue;; esac
  case $g in *[2367abef]??????) ;; *[4-7c-f]???) continue;; esac
  P=${d#/proc/}
done
"""
"""Finds the first process `P` where it is a shell with the preface `$1` and no trap of its own for SIGTERM.

Bits of the masks of proc(5): SIGURG is caught; SIGTERM is not ignored, and not caught, but as by a bash
that has a trap for its exit: it catches SIGVTALRM too.
"""

_EACH = """
kill -URG $P
for d in /proc/[0-9]*; do
  q=${d#/proc/} p=''
  while read -r n v; do case $n in PPid:) p=$v;; esac; done 2>/dev/null <$d/status || continue
  case $q in 1|$P|$$) continue;; esac
  %s
  kill -TERM $q 2>/dev/null
done
"""

TELL_ALL = _FIND + 'if [ -z "$P" ]; then kill -TERM -1; else ' + _EACH % ":" + "fi\n"
"""Script that tells every process of a container but its init; `$1` is the preface."""

TELL_OWN = _FIND + 'if [ "$P" ]; then ' + _EACH % '[ "$p" = $P ] || continue' + "fi\n"
"""Script that tells what the first process runs; it leaves `P` empty where that is no shell that waits."""


def prefaced(command: tuple[str, ...]) -> tuple[str, ...]:
    """Give the command with the preface before its text, if it is a shell with one."""
    if command and command[0].rpartition("/")[2] in _SHELLS and "-c" in command[1:-1]:
        at = command.index("-c") + 1
        if all(word.startswith("-") for word in command[1:at]):
            return (*command[:at], PREFACE + command[at], *command[at + 1 :])
    return command
