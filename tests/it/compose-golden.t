#!/usr/bin/python3
# Each request tests/mime/NAME.json becomes exactly the message NAME.eml.
#
# With --update the messages are written anew: look at the difference before you believe it.
import difflib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import compose  # noqa: E402


def main():
    names = compose.names()
    failed = 0
    print("1..%d" % len(names))
    for number, name in enumerate(names, 1):
        message, complaint = compose.compose(compose.read(name, ".json"))
        got = complaint.encode() if message is None else compose.stable(message)
        if "--update" in sys.argv:
            with open(os.path.join(compose.MIME, name + ".eml"), "wb") as file:
                file.write(got)
        wanted = compose.read(name, ".eml")
        print("%s %d - %s" % ("ok" if got == wanted else "not ok", number, name))
        if got != wanted:
            failed += 1
            for line in difflib.unified_diff(wanted.decode("latin-1").splitlines(),
                                             got.decode("latin-1").splitlines(), "wanted", "got", lineterm=""):
                print("# " + line, file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
