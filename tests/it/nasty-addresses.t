#!/usr/bin/python3
# Address fields that break parsers: depth, floods, no domain, injections.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import nasty  # noqa: E402
from nasty_test import Suite  # noqa: E402

suite = Suite()
def cc_is(*emails):
    def see(document):
        got = [a["Email"] for a in document["CcFull"]]
        return None if got == list(emails) else "CcFull: %r" % got[:5]
    return see


def from_is(email, name):
    def see(document):
        got = document["FromFull"]
        return None if (got["Email"], got["Name"]) == (email, name) else "FromFull: %r" % got
    return see


def no_injection(document):
    if "\n" in document["From"] or "\r" in document["From"] or len(document["BccFull"]):
        return "From: %r" % document["From"]
    return None


suite.add("address-colons", defects=["nested address groups"])
suite.add("address-colons-folded", defects=["header too large", "nested address groups"])
suite.add("from-colons", defects=["no From", "nested address groups"])
suite.add("sender-colons", defects=["header too large", "nested address groups"])
suite.add("part-address-colons", defects=[])
suite.add("comments-open", defects=[])
suite.add("quotes-open", defects=["malformed address"])
suite.add("ats", defects=["malformed address"])
suite.add("commas", defects=[])
suite.add("addresses", defects=["header too large", "too many addresses"])
suite.add("groups", defects=["header too large", "too many addresses"])
suite.add("address-fields", defects=["too many header fields"])
suite.add("address-long", defects=["header too large", "malformed address"])
suite.add("angles", defects=["malformed address"])
suite.add("routes", defects=["header too large", "malformed address"])
suite.add("dots", defects=["malformed address"])
suite.add("comments-nested", defects=["malformed address"])
suite.add("comments-many", defects=["malformed address"])
suite.add("quotes-escaped", defects=["malformed address"])
suite.add("comments-nested", 3, see=cc_is("carl@example.com"), defects=[])
suite.add("comments-many", 3, see=cc_is("carl@example.com"), defects=[])
suite.add("commas", 3, see=cc_is("carl@example.com"), defects=[])
suite.add("address-route", see=cc_is("carl@example.com"), defects=[])
suite.add("address-without-domain", defects=["malformed address"])
suite.add("address-idn", defects=[],
          see=lambda d: None if d["FromFull"]["Email"] == "j\u00f6rg@b\u00fccher.example" else d["FromFull"])
suite.add("address-injection", see=no_injection, defects=["wrong charset label in header"])
for which, (_, email, name) in enumerate(nasty.FROMS):
    suite.add("from-line", which, see=from_is(email, name))
suite.run()
