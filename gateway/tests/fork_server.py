"""Forks `doorward …` for every request on its socket: a start without the seconds that imports take.

Started by forked.py, with the socket as its stdin. A request is a JSON object (words, cwd, environment, session) and
four file descriptors: what becomes stdin, stdout and stderr, and where the process id and then the exit code go.
"""

import contextlib
import gc
import itertools
import json
import os
import select
import signal
import socket
import sys
import time

_REQUEST = 1 << 18  # bytes; an environment is a few thousand


def _become(request: dict[str, object], files: list[int]) -> None:
    """Be a new process that was started with these words."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["session"]:
        os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(3, max(files) + 1)
    os.chdir(str(request["cwd"]))
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    time.tzset()
    sys.argv = ["doorward", *request["words"]]  # type: ignore[misc]


def _reap(watchers: dict[int, int]) -> None:
    """Tell who waits how their processes ended."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            watcher = watchers.pop(ended[0])
            with contextlib.suppress(BrokenPipeError):
                os.write(watcher, b"%d\n" % os.waitstatus_to_exitcode(ended[1]))
            os.close(watcher)


def _serve(line: socket.socket) -> bool:
    """Fork for every request. True: this is a new process; False: nobody will ask any more."""
    watchers: dict[int, int] = {}  # process id: where to tell how it ended
    woken, wake = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    while True:
        ready = select.select([line, woken], [], [])[0]
        if woken in ready:
            woken.recv(4096)
            _reap(watchers)
        if line not in ready:
            continue
        data, files, _, _ = socket.recv_fds(line, _REQUEST, 4)
        if not data:
            return False
        *standard, watcher = files
        child = os.fork()
        if child == 0:
            os.close(watcher)
            for other in watchers.values():
                os.close(other)
            woken.detach()
            wake.detach()
            line.detach()
            _become(json.loads(data), standard)
            return True
        watchers[child] = watcher
        os.write(watcher, b"%d\n" % child)
        for file in standard:
            os.close(file)


def main() -> None:
    """Make what every start makes in the same way, then wait for requests."""
    import kept_builds

    import doorward.runtime.main  # noqa: F401
    from doorward import cli
    from doorward.web import app

    for demo, local in itertools.product((False, True), repeat=2):
        app._routes(demo=demo, local=local)
    kept_builds.install()
    gc.collect()
    gc.freeze()  # what is there stays: no copy of it for each child's collections
    if _serve(socket.socket(fileno=os.dup(0))):
        cli.main()


main()
