"""The fork server: a Python process with little in it that forks a supervisor for every request.

Started by `spawner` as `python -I -S forkserver.py [FILES]` with a stream socket as standard input, and with
how many files jobs may have open, where that is less than Errand itself may. Each
request comes with a file descriptor, the writing end of a pipe, which the supervisor keeps for its
life: a byte in it means that something changed, its end that the supervisor is gone. The server
ends when the socket does; supervisors go on.
"""

import array
import gc
import os
import resource
import signal
import socket
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from executor.supervisor import request, supervision


def serve(channel: socket.socket) -> None:
    """Fork for every request until the channel ends."""
    while received := _receive(channel):
        body, wake = received
        # A stop that comes before the supervisor is ready for it must wait, not kill it.
        signal.pthread_sigmask(signal.SIG_BLOCK, supervision.SIGNALS)
        if os.fork() == 0:
            _become_supervisor(body, wake)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, supervision.SIGNALS)
        os.close(wake)


def _become_supervisor(body: bytes, wake: int) -> None:
    status = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)  # which was the channel
        os.dup2(null, 1)
        fields = request.decode(body)
        _own_stderr(os.fsdecode(fields["run"][0]))
        supervision.supervise(fields, wake)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _own_stderr(directory: str) -> None:
    """Leave Errand's own: whoever reads it must see its end when Errand ends, not when the last run does."""
    errors = os.open(os.path.join(directory, "errors"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(errors, 2)
    os.close(errors)


def _receive(channel: socket.socket) -> tuple[bytes, int] | None:
    descriptors = array.array("i")
    header, ancillary, _, _ = channel.recvmsg(4, socket.CMSG_SPACE(descriptors.itemsize))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: descriptors.itemsize])
    header += _exactly(channel, 4 - len(header)) if header else b""
    if len(header) < 4 or not descriptors:
        return None
    os.set_inheritable(descriptors[0], False)
    size = int.from_bytes(header, "big")
    body = _exactly(channel, size)
    return (body, descriptors[0]) if len(body) == size else None


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (piece := channel.recv(size - len(data))):
        data += piece
    return bytes(data)


def main() -> None:
    """Serve what is standard input."""
    os.chdir("/")
    if sys.argv[1:]:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), hard))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps the supervisors
    gc.disable()  # a collection in a fork would copy every page that it touches
    gc.freeze()
    serve(socket.socket(fileno=0))


if __name__ == "__main__":
    main()
