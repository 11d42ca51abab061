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
    suite.add("content-type", which, see=type_is(meant), defects=[] if which < 7 else ["malformed Content-Type"])
# That the names are safe is checked with every document.
suite.add("filenames", see=all_there, defects=["raw 8-bit characters in header", "NUL bytes in text"])
suite.add("filenames-2231", see=all_there, defects=["wrong charset label in header"])
for size in (199, 200, 201, 300):
    suite.add("filename", size, see=ends_with(".bin"), defects=[])
suite.add("filename-huge", raw=True, defects=["header too large"])
suite.add("filename-percent", defects=["header too large"])
suite.add("filename-percent", 60, see=ends_with("\u00e4" * 10), defects=[])
suite.add("rfc2231-flood", defects=["header too large", "too many parameters"])
suite.add("rfc2231-flood", 20, see=ends_with("a" * 20), defects=[])
suite.add("rfc2231-backwards", defects=["header too large", "too many parameters"])
suite.add("rfc2231-backwards", 20, see=ends_with("a" * 20), defects=[])
suite.add("rfc2231-gaps", defects=["header too large", "too many parameters"])
suite.add("parameters-flood", defects=["header too large", "too many parameters"])
suite.add("top-parameters-flood", defects=["header too large", "too many parameters"])
suite.run()
