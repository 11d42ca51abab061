#!/usr/bin/python3
# winmail.dat that lies about its sizes, bombs or is nested.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
def names(*wanted):
    def see(document):
        got = [a["Name"] for a in document["Attachments"]]
        return None if got == list(wanted) else "Attachments: %r" % got[:10]
    return see


suite.add("tnef-good", see=names("inner.txt"), defects=[])
suite.add("tnef-files", defects=["too many attachments"], raw=True)
for size in (0, 1):
    suite.add("tnef-size-lie", size, defects=[])
for size in (0x7F, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF):
    suite.add("tnef-size-lie", size, see=names("winmail.dat"), defects=["broken TNEF"])
    suite.add("tnef-property-lie", size, see=names("winmail.dat"), defects=["broken TNEF"])
    suite.add("tnef-multivalue-lie", size, see=names("winmail.dat"), defects=["broken TNEF"])
for size in (0, 0xFFFF, 0x7FFFFFF0, 0xFFFFFFFF):
    suite.add("tnef-rtf-lie", size, see=names("winmail.dat"), defects=["broken TNEF"])
suite.add("tnef-rtf-bomb", see=names("message.rtf"), defects=[])
suite.add("tnef-nested", see=names("winmail.dat"), defects=[])
suite.add("tnef-truncated", see=names("inner.txt", "winmail.dat"), defects=["broken TNEF"])
suite.add("tnef-garbage", see=names("winmail.dat"), defects=["broken TNEF"])
suite.run()
