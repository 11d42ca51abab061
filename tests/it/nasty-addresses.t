#!/usr/bin/python3
# Address fields that break parsers: depth, floods, no domain, injections.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
def cc_is(*emails):
    def see(document):
        got = [a["Email"] for a in document["CcFull"]]
        return None if got == list(emails) else "CcFull: %r" % got[:5]
    return see


def no_injection(document):
    if "\n" in document["From"] or "\r" in document["From"] or len(document["BccFull"]):
        return "From: %r" % document["From"]
    return None


for name in ("address-colons", "address-colons-folded", "from-colons", "sender-colons", "part-address-colons",
             "comments-open", "quotes-open", "ats", "commas", "addresses", "groups", "address-fields",
             "address-long", "angles", "routes", "dots", "comments-nested", "comments-many",
             "quotes-escaped"):
    suite.add(name, defects=None)
suite.add("comments-nested", 3, see=cc_is("carl@example.com"), defects=None)
suite.add("comments-many", 3, see=cc_is("carl@example.com"), defects=None)
suite.add("commas", 3, see=cc_is("carl@example.com"), defects=None)
suite.add("address-route", see=cc_is("carl@example.com"), defects=None)
suite.add("address-without-domain", defects=None)
suite.add("address-idn", defects=None,
          see=lambda d: None if d["FromFull"]["Email"] == "j\u00f6rg@b\u00fccher.example" else d["FromFull"])
suite.add("address-injection", see=no_injection, defects=None)
suite.run()
