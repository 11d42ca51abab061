#!/usr/bin/python3
# HTML and text bodies that break parsers: depth, floods, size.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
def has_hello(document):
    return None if "hello from the body" in document["TextBody"] else "TextBody: %r" % document["TextBody"][:80]


for name in ("html-divs", "html-tables", "html-inline", "html-lists", "html-blockquotes"):
    suite.add(name, 100, see=has_hello, defects=[])
    suite.add(name, defects=None)
for name in ("html-blockquotes-lines", "html-big", "html-tags-only", "html-angles", "html-ampersands",
             "html-entities", "html-comment-open", "html-attributes", "html-same-attributes", "html-long-link",
             "html-entities-bomb"):
    suite.add(name, see=has_hello, defects=None)
suite.add("html-meta-charset", defects=[],
          see=lambda d: None if "hello from the body \u00e4" in d["TextBody"] else d["TextBody"])
for name in ("text-big", "quotes-deep", "flowed-lines", "flowed-levels", "text-parts"):
    suite.add(name, see=has_hello, defects=None)
suite.run()
