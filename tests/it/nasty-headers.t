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


suite.add("headers", defects=["too many header fields", "header too large"])
suite.add("same-headers", defects=["too many header fields", "header too large"])
suite.add("header-bytes", defects=["too many header fields", "header too large"])
suite.add("folded-header", defects=["header too large"])
suite.add("blank-folds", defects=["header too large"])
suite.add("received-flood", defects=["too many header fields", "header too large", "no From", "no Date"])
suite.add("references-flood", defects=["header too large", "too many message ids"])
suite.add("references-garbage", defects=["header too large"])
suite.add("subject-long", see=subject_begins("s" * 1000), defects=["header too large"])
suite.add("encoded-words", see=subject_begins("\u00e4" * 1000), defects=["header too large", "broken encoded word"])
suite.add("encoded-words-broken", defects=["header too large", "broken encoded word"])
suite.add("encoded-word-starts", see=subject_begins("=?=?"), defects=["header too large", "broken encoded word"])
suite.add("encoded-words-charsets", defects=["header too large", "wrong charset label in header", "broken encoded word"])
suite.add("encoded-words-from", defects=["malformed address"])
suite.add("encoded-words", 3, see=subject_is("\u00e4\u00e4\u00e4"), defects=[])
suite.run()
