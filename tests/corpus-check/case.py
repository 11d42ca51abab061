"""What the adapters hand to check-corpus."""

import hashlib
import re
from dataclasses import dataclass
from typing import Callable, Optional


@dataclass
class Case:
    """One mail.  name: relative to the corpus; expect(document) yields (field, message) for
    each difference."""

    name: str
    mail: bytes
    expect: Optional[Callable] = None


def squeeze(text):
    """White space and line ends do not count in comparisons of texts."""
    return re.sub(r"\s+", " ", text or "").strip()


def excerpt(value):
    text = repr(value)
    return text if len(text) <= 100 else text[:60] + "..." + text[-37:]


def differs(field, ours, theirs):
    """Yields the one difference, if it is one."""
    if ours != theirs:
        yield field, "%s, expected %s" % (excerpt(ours), excerpt(theirs))


def digest(data):
    return hashlib.sha256(data).hexdigest()


def headers(document, name):
    return [h["Value"] for h in document["Headers"] if h["Name"].lower() == name.lower()]
