"""TAP for the tests of ugly mails (tests/it/nasty-*.t).

	suite = Suite()
	suite.add("wrong-boundary", defects=["multipart boundary not found"], raw=True)
	suite.run()

Each mail of nasty.py becomes one test: exit 0, a true document, exactly these defects, less than 5 s
of processor time and 512 MB, and the text that a reader expects.  (Most take some hundredths; the longest takes less
than one, on a machine that has nothing else to do, and what grows faster than its mail takes minutes.)"""

import base64
import multiprocessing
import os
import sys
import tempfile

import document_check
import dryrun
import nasty

CPU_LIMIT_S = 5.0
MEMORY_LIMIT = 512 << 20
HELLO = "hello from the body"
TESTS = []


class Suite:
    def __init__(self):
        self.tests = []
        self.folder = tempfile.TemporaryDirectory(prefix="mailpipe-nasty-")
        self.default = self.config()

    def config(self, **limits):
        """A config file with these limits; its path."""
        path = os.path.join(self.folder.name, "%d.conf" % len(os.listdir(self.folder.name)))
        with open(path, "w", encoding="utf-8") as file:
            file.write("[route all]\nrecipients = *@example.com\n[limits]\nparse_cpu = 20s\nparse_wall = 60s\n"
                       + "".join("%s = %s\n" % item for item in limits.items()))
        return path

    def add(self, name, size=None, what="", config=None, **wanted):
        """wanted: defects (all of them, in any order), hello (False: the text is not expected), raw (True or
        False: is Raw there?), see (a function of the document that returns what is wrong, or None)."""
        self.tests.append((name, size, what, config or self.default, wanted))

    def run(self):
        if not dryrun.build_exists():
            sys.exit("%s is not built" % dryrun.mailin())
        print("1..%d" % len(self.tests))
        failed = 0
        TESTS.extend(self.tests)
        # A process for each, for Linux counts the memory that a child had before exec() as its own.
        with multiprocessing.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
            for number, result in enumerate(pool.imap(judge, range(len(TESTS))), 1):
                title, wrong = result
                print("%s %d - %s" % ("not ok" if wrong else "ok", number, title), flush=True)
                for line in wrong:
                    print("#   " + line, file=sys.stderr)
                failed += bool(wrong)
        sys.exit(1 if failed else 0)


def judge(index):
    name, size, what, config, wanted = TESTS[index]
    title = name + (" %d" % size if size is not None else "") + (": " + what if what else "")
    mail = nasty.mail(name, size)
    argv = dryrun.command() + ["--config", config]
    run = dryrun.run(mail, argv)
    wrong = []
    if run.exit != 0:
        wrong.append("exit %d: %s" % (run.exit, run.err.decode("utf-8", "replace").strip()[:200]))
    if run.cpu > CPU_LIMIT_S:
        wrong.append("%.2f s of processor time" % run.cpu)
    if run.rss > MEMORY_LIMIT:
        wrong.append("%d MB of memory" % (run.rss >> 20))
    document, findings = document_check.check(run.out, mail)
    wrong += findings
    if document is not None and not findings:
        wrong += compare(document, mail, wanted)
    return title, wrong


def compare(document, mail, wanted):
    inner = document["Mailpipe"]
    if wanted.get("defects") is not None and sorted(inner["Defects"]) != sorted(wanted["defects"]):
        yield "defects %r, wanted %r" % (inner["Defects"], wanted["defects"])
    if "raw" in wanted and ("Raw" in inner) != wanted["raw"]:
        yield "Raw is %sthere" % ("" if "Raw" in inner else "not ")
    if wanted.get("hello", True) and not has_hello(document):
        yield "the text is lost: TextBody %r" % document["TextBody"][:80]
    if "see" in wanted:
        wrong = wanted["see"](document)
        if wrong:
            yield str(wrong)[:400]


def has_hello(document):
    if HELLO in document["TextBody"]:
        return True
    if any(HELLO.encode() in base64.b64decode(a["Content"]) for a in document["Attachments"]):
        return True
    return HELLO.encode() in base64.b64decode(document["Mailpipe"].get("Raw", ""))
