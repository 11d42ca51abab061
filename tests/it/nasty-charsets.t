#!/usr/bin/python3
# Charset labels that lie, are unknown or absurd, and bytes that are no UTF-8.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402

suite = Suite()
def text_has(text):
    return lambda d: None if text in d["TextBody"] else "TextBody: %r" % d["TextBody"][:120]


hello = text_has("hello from the body")
suite.add("charset-long", see=hello, defects=["wrong charset label"])
suite.add("charset-path", see=hello, defects=["wrong charset label"])
suite.add("charset-translit", see=hello, defects=["wrong charset label"])
suite.add("utf8-surrogates", see=hello, defects=["wrong charset label"])
suite.add("utf8-overlong", see=hello, defects=["wrong charset label"])
suite.add("utf8-beyond", see=hello, defects=["wrong charset label"])
suite.add("iso2022-escapes", see=hello, defects=[])
suite.add("utf8-noncharacters", see=hello, defects=[])
suite.add("utf8-bom", defects=[], see=lambda d: None if d["TextBody"].startswith("hello") else d["TextBody"])
suite.add("charset-utf7", see=hello, defects=["wrong charset label"])
suite.add("charset-utf16", hello=False, see=hello, defects=[])
suite.add("charset-utf16-odd", hello=False, see=hello, defects=["wrong charset label"])
suite.add("charset-utf16-base64", see=hello, defects=[])
suite.add("charset-utf32", hello=False, see=hello, defects=[])
suite.add("charset-lies", see=text_has("gr\u00fc\u00dfe"), defects=["wrong charset label"])
suite.add("charset-lies-utf8", see=text_has("gr\u00fc\u00dfe"), defects=["wrong charset label"])
suite.add("charset-unknown", see=text_has("gr\u00fc\u00dfe"), defects=["wrong charset label"])
suite.add("charsets-many", see=hello, defects=["too many parts", "wrong charset label"])
suite.add("bom-first", see=lambda d: None if d["FromFull"]["Email"] == "ann@example.com" else d["From"],
          defects=[])
suite.add("utf16-mail", hello=False, raw=True, defects=["no header", "no From", "no Date"])
suite.run()
