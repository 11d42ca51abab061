"""A corpus of replies: emails/NAME.txt is the text of a mail, trimmed/NAME.txt what its sender wrote.

White space is folded before the two are compared; lines that were wrapped may have been joined."""

import os

from case import Case, squeeze

HEADER = (b"From: Ann <sender@example.com>\nTo: Support <recipient@example.com>\n"
          b"Subject: Re: A question\nDate: Sun, 22 Nov 2026 12:00:00 +0000\n"
          b"Message-ID: <reply@example.com>\nMIME-Version: 1.0\n"
          b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n")


def expected_of(path):
    folder, name = os.path.split(path)
    if os.path.basename(folder) != "emails":
        return None
    trimmed = os.path.join(os.path.dirname(folder), "trimmed", name)
    if not os.path.exists(trimmed):
        return None
    with open(trimmed, encoding="utf-8", errors="replace") as file:
        return file.read()


def cases(path, name, mail):
    expected = expected_of(path)
    if expected is None:
        return []

    def expect(document):
        got = document["StrippedTextReply"]
        if squeeze(got) != squeeze(expected):
            rule = document["Mailpipe"]["ReplyRule"]
            yield "StrippedTextReply", "by rule %r %r, expected %r" % (
                rule, squeeze(got)[-160:], squeeze(expected)[-160:])

    return [Case(name + "#reply", HEADER + mail, expect)]
