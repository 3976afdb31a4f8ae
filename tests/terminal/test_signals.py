"""A signal that the main thread does not take itself ends its wait all the same."""

import signal
import subprocess
import sys
import threading

from terminal.signals import heard

PROGRAM = """
import signal, socket, threading
from terminal.signals import heard

def take():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    print("waits", flush=True)
    threading.Event().wait()

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # of the main thread: another one gets it
ends = socket.socketpair()
with heard():
    try:
        threading.Thread(target=take, daemon=True).start()
        ends[0].recv(1)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_wait_ends_with_a_signal_that_another_thread_takes() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert process.wait() == 0


def test_main_thread_is_woken_until_it_has_heeded_it() -> None:
    deaf = "kill, lost = signal.pthread_kill, []\n"
    deaf += "signal.pthread_kill = lambda *it: kill(*it) if lost else lost.append(it)\n"
    program = PROGRAM.replace("def take", f"{deaf}\ndef take")
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert process.wait() == 0


def test_nothing_is_left_behind() -> None:
    handler = signal.getsignal(signal.SIGURG)
    with heard():
        assert any(each.name == "signals" for each in threading.enumerate())
        with heard():
            pass
    assert signal.getsignal(signal.SIGURG) is handler
    assert signal.set_wakeup_fd(-1) == -1


def test_other_threads_are_let_be() -> None:
    thread = threading.Thread(target=lambda: heard().__enter__())
    thread.start()
    thread.join()
    assert signal.set_wakeup_fd(-1) == -1
