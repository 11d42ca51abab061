#!/usr/bin/python3
# Attachment names and parameters that break parsers or file systems.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
import nasty  # noqa: E402


def all_there(document):
    got = len(document["Attachments"])
    return None if got == len(nasty.NAMES) else "%d attachments of %d" % (got, len(nasty.NAMES))


def ends_with(end):
    def see(document):
        name = document["Attachments"][0]["Name"]
        return None if name.endswith(end) and len(name.encode()) <= 200 else "Name: %r" % name[:300]
    return see


def type_is(wanted):
    return lambda d: None if d["Attachments"][0]["ContentType"] == wanted else d["Attachments"][0]["ContentType"]


for which, (_, meant) in enumerate(nasty.TYPES):
    suite.add("content-type", which, see=type_is(meant), defects=None)
# That the names are safe is checked with every document.
suite.add("filenames", see=all_there, defects=None)
suite.add("filenames-2231", see=all_there, defects=None)
for size in (199, 200, 201, 300):
    suite.add("filename", size, see=ends_with(".bin"), defects=None)
suite.add("filename-huge", raw=True, defects=None)
suite.add("filename-percent", defects=None)
suite.add("filename-percent", 60, see=ends_with("\u00e4" * 10), defects=None)
suite.add("rfc2231-flood", defects=None)
suite.add("rfc2231-flood", 20, see=ends_with("a" * 20), defects=None)
suite.add("rfc2231-backwards", defects=None)
suite.add("rfc2231-backwards", 20, see=ends_with("a" * 20), defects=None)
suite.add("rfc2231-gaps", defects=None)
suite.add("parameters-flood", defects=None)
suite.add("top-parameters-flood", defects=None)
suite.run()
