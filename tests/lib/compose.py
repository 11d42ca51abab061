"""The message that mailout builds of a request, with Date and boundaries made the same in all of them."""
import atexit
import os
import re
import shutil
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
MAILOUT = os.path.join(BUILD, "sbin/mailout")
MIME = os.path.join(TOP, "tests/mime")

WORK = tempfile.mkdtemp()
atexit.register(shutil.rmtree, WORK)
CONFIG = os.path.join(WORK, "mailpipe.conf")
with open(CONFIG, "w", encoding="utf-8") as config:
    config.write("[mailout]\ntemplates = %s\n" % WORK)


def compose(request):
    """Message and "", or None and the reason."""
    done = subprocess.run([MAILOUT, "-c", CONFIG, "--dry-run"], input=request, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return None, done.stderr.decode()
    return done.stdout, done.stderr.decode()


def stable(message):
    """Boundaries are random, and the date is now."""
    message = re.sub(rb"=_[0-9a-f]{24}(-\d)", b"=_" + 24 * b"0" + rb"\1", message)
    return re.sub(rb'^Date: .*', b'Date: Tue, 14 Nov 2023 22:13:20 +0000\r', message, flags=re.M)


def names():
    return sorted(name[:-5] for name in os.listdir(MIME) if name.endswith(".json"))


def read(name, suffix):
    with open(os.path.join(MIME, name + suffix), "rb") as file:
        return file.read()
