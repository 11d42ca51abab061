#!/usr/bin/python3
# Archives that hide names, lie about them or are bombs: no name is missing without saying so, and the mail arrives.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402
import dryrun  # noqa: E402
import nasty_archives  # noqa: E402,F401

suite = Suite()
RUN = ["run.exe"]


def names(wanted, unread="", encrypted=False, number=0):
    """wanted: the names, or how many there are."""
    def see(document):
        got = document["Attachments"][number].get("Archive")
        if got is None:
            return "no Archive"
        found = [entry["Name"] for entry in got["Entries"]]
        count = len(found) if isinstance(wanted, int) else found
        if (count, got["Unread"], got["Encrypted"]) != (wanted, unread, encrypted):
            return "%r %r %r of %d" % (found[:10], got["Unread"], got["Encrypted"], len(found))
        return None
    return see


def none(document):
    return document["Attachments"][0].get("Archive")


def add(name, size=None, wanted=RUN, unread="", config=None, see=None, **more):
    suite.add(name, size, config=config, see=see or names(wanted, unread, **more), defects=[])


def sizes(*wanted):
    def see(document):
        got = [entry["Size"] for entry in document["Attachments"][0]["Archive"]["Entries"]]
        return None if got == list(wanted) else "sizes %r" % got
    return see


def all_unread(document):
    """(How far a machine gets is its own affair.)"""
    got = [attachment["Archive"]["Unread"] for attachment in document["Attachments"]]
    return None if len(got) == 100 and set(got) <= {"broken", "limit"} else "%r" % got


add("zip-plain", wanted=["run.exe", "a.txt", "grün.txt"])
add("zip-any-name")
add("zip-legacy-name", wanted=["grün.txt"])
add("zip-front-lies", wanted=["fine.txt", "run.exe"])
add("zip-directory-lies", wanted=["run.exe", "fine.txt"])
add("zip-not-in-directory", wanted=["fine.txt", "run.exe"])
add("zip-two-directories", wanted=["run.exe", "fine.txt"])
add("zip-in-comment", wanted=["fine.txt", "run.exe"])
add("zip-unicode-name", wanted=["fine.txt", "run.exe"])
add("zip-nul-name", wanted=["run.exe", "run.exe\ufffd.txt"])
add("zip-paths", wanted=["run.exe", "dll.dll", "abs.txt", "dots", "dir", "gpj.scr", "_CON", "a  b.txt"])
for size in (5, 300, 65535):
    add("zip-long-name", size, ["a" * (min(size, 200) - 4) + ".exe"])
add("zip-entries", 1000, 1000)
add("zip-entries", 1001, 1000, "limit")
add("zip-entries", 100000, 1000, "limit")
add("zip-same-entry", 1000, ["a.txt"])
add("zip-same-entry", 1001, ["a.txt"], "limit")
add("zip-same-entry", 100000, ["a.txt"], "limit")
add("zip-overlapping", wanted=3, unread="broken")
add("zip-signature-flood", wanted=["a.txt"], unread="broken")
add("zip-deflate-bomb", see=sizes(1 << 30))
for size, wanted in ((30, []), (100, ["a.txt", "run.exe"]), (200, ["a.txt", "run.exe"])):
    add("zip-cut", size, wanted, "broken")
add("zip-empty", wanted=[])
add("zip-behind-other", unread="format")
add("zip-in-zip", wanted=["inner.zip"])
add("office-document", see=none)
add("office-as-zip", wanted=["[Content_Types].xml", "rels", "document.xml", "run.exe"])

add("tar-plain", wanted=["run.exe", "grün.txt", "x" * 196 + ".scr"])
add("tar-gnu", wanted=["x" * 196 + ".scr"])
add("tar-unnamed", wanted=[], unread="format")
add("tar-cut", 4000, ["a.txt", "run.exe"], "broken")
add("tar-size-huge", wanted=[], unread="broken")
add("tar-size-negative", wanted=[], unread="broken")
add("tar-entries", 1000, 1000)
add("tar-entries", 1001, 1000, "limit")
add("tar-entries", 20000, 1000, "limit")
add("tar-xz")
add("tar-gz-bomb", 1 << 20, ["zeros", "run.exe"])
add("tar-gz-bomb", 64 << 20, ["zeros"], "limit")
add("tar-xz-bomb", 1 << 20, ["zeros", "run.exe"])
add("tar-xz-bomb", 64 << 20, ["zeros"], "limit")
# The header of the file is unpacked, too.
exact = suite.config(archive_bytes=(1 << 20) + 512)
add("tar-gz-bomb", 1 << 20, ["zeros", "run.exe"], "limit", exact)
add("gz-in-gz", wanted=["a"])
add("gz-file", wanted=["inner.exe", "outer.scr"])
add("gz-cut", wanted=[], unread="broken")
# (With a sanitizer there is no limit of memory.)
if "san" not in os.path.basename(dryrun.BUILD):
    add("xz-dictionary", wanted=[], unread="broken")

add("seven-plain", wanted=["grün.txt", "notes.txt", "run.exe"])
add("seven-locked", wanted=["notes.txt", "run.exe"], encrypted=True)
add("seven-hidden", wanted=[], unread="encrypted")
for size in (32, 249):
    add("seven-cut", size, [], "broken")
for size in (0, 100, 1 << 62):
    add("seven-header-size", size, [], "broken" if size else "")
for count in (1, 1 << 31, 1 << 62):
    add("seven-files", count, [], "broken")
    add("seven-folders", count, [], "broken")
add("seven-header-bomb", 64 << 20, [], "limit")
add("seven-header-bomb", 512 << 20, [], "limit")
# By default a mail may have 1000 files, so a header has no more than 1001 KB; and no more than archive_bytes.
add("seven-slow", 1001 << 10, [], "broken")
add("seven-slow", (1001 << 10) + 1, [], "limit")
add("seven-slow", 1000, [], "broken", suite.config(archive_bytes=1000))
add("seven-slow", 1001, [], "limit", suite.config(archive_bytes=1000))
add("seven-slow", 8 << 20, [], "limit")
add("seven-odd-header", wanted=[], unread="broken")
add("seven-slow-ones", 100, see=all_unread)

add("cab-plain")
add("cab-count-lie", 65535, [], "broken")
add("cab-entries", 1000, 1000)
add("cab-entries", 1001, 1000, "limit")

add("rar-file", wanted=[], unread="format")
add("iso-image", wanted=[], unread="format")
add("iso-as-zip", wanted=[], unread="format")
add("text-as-zip", wanted=[], unread="format")
add("nothing-as-zip", wanted=[], unread="format")
add("bz2-file", wanted=[], unread="format")

add("archives-of-a-mail", 1000, 500)
add("archives-of-a-mail", 1000, 500, number=1)
add("archives-of-a-mail", 1001, 500, "limit", number=1)
add("archives-of-a-mail", 1, [], config=suite.config(archive_entries=0))
add("archives-of-a-mail", 1, [], "limit", suite.config(archive_entries=0), number=1)
suite.run()
