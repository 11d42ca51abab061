#!/usr/bin/python3
# Transfer encodings that are broken, unknown or bombs.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
suite.add("base64-garbage", hello=False, defects=["broken base64"])
suite.add("base64-noise", hello=False, defects=["broken base64"])
suite.add("base64-one-per-line", hello=False, defects=[])
suite.add("qp-soft-breaks", defects=[])
suite.add("qp-equals", defects=[])
suite.add("unknown-encoding", defects=["unknown transfer encoding"])
suite.add("encoding-long", defects=["header too large", "unknown transfer encoding"])
suite.add("uuencode-begins", hello=False, defects=[])
suite.add("uuencode-body", hello=False, defects=[])
suite.add("uuencode-none", raw=False, defects=["unknown transfer encoding"])
suite.add("uuencode-file", hello=False, defects=[], see=lambda d: None if d["Attachments"][0]["Content"] == "ZmlsZQ=="
          else d["Attachments"])
suite.add("uuencode-in-text", defects=[])
suite.add("yenc-in-text", defects=["body cut"])
suite.run()
