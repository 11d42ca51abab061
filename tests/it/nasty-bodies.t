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


suite.add("html-divs", 100, see=has_hello, defects=[])
suite.add("html-divs", defects=[])
suite.add("html-tables", 100, see=has_hello, defects=[])
suite.add("html-tables", defects=[])
suite.add("html-inline", 100, see=has_hello, defects=[])
suite.add("html-inline", defects=[])
suite.add("html-lists", 100, see=has_hello, defects=[])
suite.add("html-lists", defects=[])
suite.add("html-blockquotes", 100, see=has_hello, defects=[])
suite.add("html-blockquotes", defects=[])
suite.add("html-blockquotes-lines", see=has_hello, defects=[])
suite.add("html-big", see=has_hello, defects=["body cut"])
suite.add("html-tags-only", see=has_hello, defects=["body cut"])
suite.add("html-angles", see=has_hello, defects=["body cut"])
suite.add("html-ampersands", see=has_hello, defects=["body cut"])
suite.add("html-entities", see=has_hello, defects=["body cut"])
suite.add("html-comment-open", see=has_hello, defects=["body cut"])
suite.add("html-attributes", see=has_hello, defects=[])
suite.add("html-same-attributes", see=has_hello, defects=[])
suite.add("html-long-link", 3 << 20, see=has_hello, defects=[])
suite.add("html-entities-bomb", see=has_hello, defects=[])
suite.add("html-meta-charset", defects=[],
          see=lambda d: None if "hello from the body \u00e4" in d["TextBody"] else d["TextBody"])
suite.add("text-big", see=has_hello, defects=["body cut"])
suite.add("quotes-deep", see=has_hello, defects=[])
suite.add("flowed-lines", see=has_hello, defects=[])
suite.add("flowed-levels", see=has_hello, defects=["body cut"])
suite.add("text-parts", see=has_hello, defects=["too many parts"])
suite.run()
