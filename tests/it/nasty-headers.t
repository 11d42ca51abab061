#!/usr/bin/python3
# Floods of header fields, ids and encoded words.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
def subject_is(text):
    return lambda d: None if d["Subject"] == text else "Subject: %r" % d["Subject"][:80]


def subject_begins(text):
    return lambda d: None if d["Subject"].startswith(text) else "Subject: %r" % d["Subject"][:80]


for name in ("headers", "same-headers", "header-bytes", "folded-header", "blank-folds", "received-flood",
             "references-flood", "references-garbage"):
    suite.add(name, defects=None)
suite.add("subject-long", see=subject_begins("s" * 1000), defects=None)
suite.add("encoded-words", see=subject_begins("\u00e4" * 1000), defects=None)
suite.add("encoded-words-broken", defects=None)
suite.add("encoded-word-starts", see=subject_begins("=?=?"), defects=None)
suite.add("encoded-words-charsets", defects=None)
suite.add("encoded-words-from", defects=None)
suite.add("encoded-words", 3, see=subject_is("\u00e4\u00e4\u00e4"), defects=None)
suite.run()
