#!/usr/bin/python3
# Line ends of all kinds, mbox lines and absurd dates.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
import nasty  # noqa: E402


def ann(document):
    return None if document["FromFull"]["Email"] == "ann@example.com" else document["From"]


def one_file(document):
    got = [(a["Name"], a["ContentLength"]) for a in document["Attachments"]]
    return None if got == [("a.bin", 4)] else "Attachments: %r" % got


def no_date(document):
    utc = document["Mailpipe"]["DateUTC"]
    return None if utc is None or "1900" < utc[:4] < "2100" else utc


suite.add("crlf", see=one_file, defects=[])
suite.add("cr-only", defects=[])
suite.add("mixed-ends", see=one_file, defects=[])
suite.add("mbox-from", see=ann, defects=[])
suite.add("mbox-from-quoted", see=ann, defects=[])
suite.add("from-line-in-body", defects=[],
          see=lambda d: None if "last line" in d["TextBody"] else d["TextBody"])
for which in range(len(nasty.DATES)):
    found = {2: [], 4: [], 6: [], 8: ["no Date"], 12: ["raw 8-bit characters in header", "unusable Date", "NUL bytes in text"]}
    suite.add("date", which, see=no_date, defects=found.get(which, ["unusable Date"]))
suite.run()
