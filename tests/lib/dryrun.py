"""One mail through `mailin --dry-run`: its exit code, its document, what it cost."""

import os
import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
RECIPIENT = "recipient@example.com"
SENDER = "sender@example.com"

# A run that neither ends nor uses processor time is killed after this.
WALL_LIMIT_S = 120


@dataclass
class Run:
    """exit: as a shell has it, but -N for a signal.  rss: bytes, of the larger process."""

    exit: int
    out: bytes
    err: bytes
    cpu: float
    wall: float
    rss: int
    timed_out: bool = False


def mailin():
    return os.path.join(BUILD, "sbin", "mailin")


def command():
    return [mailin(), "--dry-run", "--sender", SENDER, "--recipient", RECIPIENT]


def run(mail, argv=None, env=None):
    """mail: bytes, or the path of a file."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if isinstance(mail, bytes):
            source = tempfile.TemporaryFile()
            source.write(mail)
            source.seek(0)
        else:
            source = open(mail, "rb")
        started = time.monotonic()
        with source:
            child = subprocess.Popen(argv or command(), stdin=source, stdout=out, stderr=err,
                                     env=env)
        status, usage, timed_out = _wait(child.pid, started + WALL_LIMIT_S)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - started
        out.seek(0)
        err.seek(0)
        return Run(exit=child.returncode, out=out.read(), err=err.read(),
                   cpu=usage.ru_utime + usage.ru_stime, wall=wall,
                   rss=usage.ru_maxrss * 1024, timed_out=timed_out)


def _wait(pid, until):
    """wait4() with an end: Python's own wait would throw the usage away."""
    pause = 0.001
    timed_out = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage, timed_out
        if time.monotonic() > until and not timed_out:
            timed_out = True
            os.kill(pid, 9)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def build_exists():
    return os.access(mailin(), os.X_OK)


def limit_own_memory(size):
    """So that a test's own mistake does not eat the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
