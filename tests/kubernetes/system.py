"""The calls of Linux that Python 3.11 has no names for. https://man7.org/linux/man-pages/dir_section_2.html"""

import ctypes
import os
import signal

NEW_NS = 0x00020000
NEW_PID = 0x20000000
NEW_UTS = 0x04000000
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_HIGHEST_CAPABILITY = 40

_libc = ctypes.CDLL(None, use_errno=True)


def _done(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave namespaces; with `NEW_PID` it is the children that are in the new one."""
    _done(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    """Enter the namespace that `fd` is of."""
    _done(_libc.setns(fd, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount `source` of the file system `kind`."""
    words = [word.encode() for word in (source, target, kind)]
    _done(_libc.mount(*words, ctypes.c_ulong(flags), data.encode()), f"mount {target}")


def bind(source: str, target: str, *, read_only: bool = False) -> None:
    """Show `source` at `target` too."""
    mount(source, target, flags=MS_BIND | MS_REC)
    if read_only:
        mount("none", target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


def set_host_name(name: str) -> None:
    """Say how the machine is called in this namespace."""
    data = name.encode()
    _done(_libc.sethostname(data, len(data)), "sethostname")


def die_with_parent(number: signal.Signals) -> None:
    """Get a signal when the process that started this one ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def drop_capabilities() -> None:
    """Give up what root may, from the next program on."""
    for number in range(_HIGHEST_CAPABILITY + 1):
        _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)


def gain_nothing() -> None:
    """No program started from here on has more rights than this process."""
    _done(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
