#!/usr/bin/python3
# MIME structures that break parsers: depth, floods, boundaries, what is unterminated.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
def attached(count):
    return lambda d: None if len(d["Attachments"]) == count else "%d attachments" % len(d["Attachments"])


for name in ("parts", "tiny-parts", "tiny-parts-digest", "nested-multipart", "nested-same-boundary",
             "nested-message", "nested-both", "nested-alternative", "boundary-huge", "boundaries",
             "boundary-lookalikes"):
    suite.add(name, hello=not name.startswith("tiny"), defects=None)
suite.add("unterminated", see=attached(1), defects=None)
suite.add("unterminated-everything", defects=None)
suite.add("cut-in-header", hello=False, defects=None)
suite.add("cut-in-part-header", defects=None)
suite.add("wrong-boundary", defects=None)
suite.add("no-boundary", defects=None)
suite.add("boundary-empty", defects=None)
suite.add("boundary-spaces", defects=None)
suite.add("boundary", see=attached(1), defects=None)
suite.add("boundary-prefix", see=attached(1), defects=None)
for size in range(60, 81):
    suite.add("boundary-hanging", size, defects=None)
suite.add("parts-after-end", defects=None)
suite.add("only-preamble", defects=None)
suite.add("empty-multipart", hello=False, see=attached(0), defects=None)
suite.add("multipart-encoded", defects=None)
suite.add("message-encoded", see=attached(1), defects=None)
suite.add("message-partial", defects=None)
suite.run()
