#!/usr/bin/python3
# Input that is hardly a mail becomes a document all the same.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
suite.add("empty", hello=False, defects=["empty mail", "no From", "no Date"])
suite.add("one-newline", hello=False, defects=["no From", "no Date"])
suite.add("no-headers", defects=["no From", "no Date"])
suite.add("no-headers-no-blank", hello=False, defects=["no header", "no From", "no Date"],
          see=lambda d: None if "just text" in d["TextBody"] or "Raw" in d["Mailpipe"] else "lost")
suite.add("indented-header", raw=True, defects=["malformed header line"],
          see=lambda d: None if d["FromFull"]["Email"] == "ann@example.com" else d["From"])
suite.add("indented-text", raw=True, defects=["no header", "malformed header line", "no From", "no Date"])
suite.add("only-headers", hello=False, defects=[],
          see=lambda d: None if d["Subject"] == "nasty" else d["Subject"])
suite.add("only-headers-unterminated", hello=False, defects=[],
          see=lambda d: None if d["Subject"] == "nasty" else d["Subject"])
suite.add("only-colons", defects=["no header", "no From", "no Date"])
suite.add("nul-bytes", hello=False, raw=True, defects=["no header", "no From", "no Date", "NUL bytes in text"])
suite.add("nul-everywhere", hello=False, raw=True, defects=["no header", "no From", "no Date", "NUL bytes in text"])
suite.add("high-bytes", hello=False, raw=True, defects=["no header", "no From", "no Date", "wrong charset label", "body cut"])
suite.add("long-line-first", hello=False, raw=True, defects=["no header", "no From", "no Date"])
suite.add("header-without-colon", raw=True, defects=["no header", "no From", "no Date", "body cut"])
suite.add("long-line-header", raw=True, defects=["header too large"])
suite.add("long-line-body", 3 << 20, raw=False, defects=[])
suite.add("empty-lines", hello=False, raw=False, defects=[])
suite.add("carriage-returns", defects=[])
suite.run()
