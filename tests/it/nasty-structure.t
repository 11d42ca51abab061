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


suite.add("parts", hello=True, defects=["too many parts", "too many attachments"])
suite.add("tiny-parts", hello=False, defects=["too many parts"])
suite.add("tiny-parts-digest", hello=False, defects=["too many parts", "too many attachments"])
suite.add("nested-multipart", hello=True, defects=["parts nested too deeply"])
suite.add("nested-same-boundary", hello=True, defects=["too many parts", "parts nested too deeply", "too many attachments"])
suite.add("nested-message", hello=True, defects=[])
suite.add("nested-both", hello=True, defects=["unterminated multipart"])
suite.add("nested-alternative", hello=True, defects=[])
suite.add("boundary-huge", hello=True, defects=["header too large", "multipart boundary not found"])
suite.add("boundaries", hello=True, defects=["too many parts"])
suite.add("boundary-lookalikes", hello=True, defects=[])
suite.add("unterminated", see=attached(1), defects=["unterminated multipart"])
suite.add("unterminated-everything", defects=["unterminated multipart", "broken base64"])
suite.add("cut-in-header", hello=False, defects=["multipart without boundary"])
suite.add("cut-in-part-header", defects=["malformed header line", "unterminated multipart"])
suite.add("wrong-boundary", defects=["multipart boundary not found"])
suite.add("no-boundary", defects=["multipart without boundary"])
suite.add("boundary-empty", defects=["multipart without boundary"])
suite.add("boundary-spaces", defects=["unterminated multipart"])
suite.add("boundary", see=attached(1), defects=[])
suite.add("boundary-prefix", see=attached(1), defects=[])
for size in range(60, 81):
    suite.add("boundary-hanging", size, defects=["multipart without boundary"])
suite.add("parts-after-end", defects=[])
suite.add("only-preamble", defects=["multipart boundary not found"])
suite.add("empty-multipart", hello=False, defects=[],
          see=lambda d: d["TextBody"] or attached(0)(d))
suite.add("only-epilogue", raw=True, defects=["multipart boundary not found"])
suite.add("preamble-and-empty-part", raw=True, defects=["text outside of empty parts"])
suite.add("multipart-encoded", defects=["multipart boundary not found"])
suite.add("message-encoded", see=attached(1), defects=[])
suite.add("message-partial", defects=[])
suite.run()
