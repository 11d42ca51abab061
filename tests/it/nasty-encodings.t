#!/usr/bin/python3
# Transfer encodings that are broken, unknown or bombs.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
for name in ("base64-garbage", "base64-noise", "base64-one-per-line"):
    suite.add(name, hello=False, defects=None)
for name in ("qp-soft-breaks", "qp-equals", "unknown-encoding", "encoding-long"):
    suite.add(name, defects=None)
for name in ("uuencode-begins", "uuencode-body"):
    suite.add(name, hello=False, defects=None)
suite.add("uuencode-file", hello=False, defects=[], see=lambda d: None if d["Attachments"][0]["Content"] == "ZmlsZQ=="
          else d["Attachments"])
for name in ("uuencode-in-text", "yenc-in-text"):
    suite.add(name, defects=None)
suite.run()
