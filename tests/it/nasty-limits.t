#!/usr/bin/python3
# Each limit of the config: at the bound nothing is cut, one past it a defect says so.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
def limit(name, key, value, defect, at=None, raw=True, **more):
    """SIZE at the bound: no defect; one more: the defect, and the raw mail if something is lost."""
    at = value if at is None else at
    config = suite.config(**{key: value})
    suite.add(name, at, "at " + key, config, defects=[], **more)
    suite.add(name, at + 1, "past " + key, config, defects=[defect], raw=raw, **more)


limit("headers", "headers", 20, "too many header fields")
limit("headers", "headers", 1000, "too many header fields")
limit("header-bytes", "header_bytes", 4096, "header too large")
limit("parts", "parts", 10, "too many parts", at=9)
limit("nested-multipart", "depth", 5, "parts nested too deeply", raw=False)
limit("attachments", "attachments", 3, "too many attachments")
limit("addresses", "addresses", 7, "too many addresses")
limit("text-big", "body_bytes", 2000, "body cut")
limit("html-big", "body_bytes", 2000, "body cut")
suite.run()
