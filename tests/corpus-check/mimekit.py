"""MimeKit's test data: mailboxes (NAME.mbox.txt) with the offsets and types of every part
(NAME.unix-offsets.json) and the main headers (NAME-summary.txt), and TNEF files (NAME.tnef)
with the names of what is in them (NAME.list) and those files (in the folder NAME)."""

import base64
import json
import os
import re

from case import Case, differs, digest, squeeze

BODIES = re.compile(r"body\.(rtf|html|txt)")


def cases(path, name, mail):
    if path.endswith(".mbox.txt"):
        return mbox_cases(path[:-len(".mbox.txt")], name, mail)
    if path.endswith(".tnef") and os.path.exists(path[:-5] + ".list"):
        return [Case(name, mail), tnef_case(path[:-5], name + "#mail", mail)]
    return []


# ---- mailboxes ----

def mbox_cases(stem, name, text):
    found = [Case(name, text)]
    try:
        with open(stem + ".unix-offsets.json", encoding="utf-8") as file:
            messages = json.load(file)
        with open(stem + "-summary.txt", encoding="utf-8") as file:
            summaries = [s for s in re.split(r"(?m)^From .*\n", file.read())[1:]]
    except OSError:
        return found
    text = text.replace(b"\r\n", b"\n")
    for number, (message, summary) in enumerate(zip(messages, summaries)):
        mail = text[message["beginOffset"]:message["endOffset"]]
        found.append(Case("%s#%d" % (name, number), mail, binder(message, summary)))
    return found


def binder(message, summary):
    return lambda document: expect_message(message, summary, document)


def summary_field(summary, name):
    match = re.search(r"(?m)^%s: (.*)$" % name, summary)
    return match.group(1) if match else None


def leaves(entity):
    if "children" in entity and entity["mimeType"].startswith("multipart/"):
        for child in entity["children"]:
            yield from leaves(child)
    else:
        yield entity["mimeType"].lower(), entity.get("octets", 1)


def expect_message(message, summary, document):
    subject = summary_field(summary, "Subject")
    if subject is not None:
        yield from differs("Subject", squeeze(document["Subject"]), squeeze(subject))
    for field in ("From", "To"):
        theirs = summary_field(summary, field)
        if theirs is not None and "@" in theirs:
            ours = [document["FromFull"]] if field == "From" else document["ToFull"]
            # The summary prints addresses as RFC 5322 wants them, quoted or not.
            missing = [a["Email"] for a in ours if a["Email"] not in theirs]
            if missing or not ours:
                yield field, "%r, expected %r" % (missing, theirs)
    expected = list(leaves(message["body"]))
    files = [kind for kind, _ in expected if not kind.startswith("text/")]
    ours = [a["ContentType"] for a in document["Attachments"] if not a["ContentType"].startswith("text/")]
    yield from differs("Attachments.ContentType", ours, files)
    has = {"text/plain": document["TextBody"], "text/html": document["HtmlBody"]}
    attached = {a["ContentType"] for a in document["Attachments"]}
    for kind, body in has.items():
        size = max((octets for k, octets in expected if k == kind), default=0)
        if size > 0 and not body.strip() and kind not in attached:
            yield "TextBody" if kind == "text/plain" else "HtmlBody", "empty"


# ---- TNEF ----

def tnef_case(stem, name, data):
    encoded = base64.encodebytes(data).decode("ascii")
    mail = ("From: a@example.com\nSubject: winmail\nMIME-Version: 1.0\n"
            "Content-Type: application/ms-tnef; name=winmail.dat\n"
            "Content-Transfer-Encoding: base64\n\n%s" % encoded).encode("ascii")
    return Case(name, mail, lambda document: expect_tnef(stem, document))


def expect_tnef(stem, document):
    with open(stem + ".list", encoding="utf-8") as file:
        listed = [line.strip() for line in file if line.strip()]
    wanted = [n for n in listed if not BODIES.fullmatch(n)]
    got = [a["Name"] for a in document["Attachments"]]
    for name in wanted:
        if name.startswith("Untitled"):
            continue	# the list's word for "no name": ours are invented, too
        if name not in got:
            yield "Attachments.Name", "%r lacks %r" % (got, name)
    if len(got) < len(wanted):
        yield "Attachments", "%d, expected %d" % (len(got), len(wanted))
    contents = [base64.b64decode(a["Content"]) for a in document["Attachments"]]
    # The texts among the extracted files were checked in with LF.
    have = {digest(c) for c in contents} | {digest(c.replace(b"\r\n", b"\n")) for c in contents}
    for name in sorted(os.listdir(stem)) if os.path.isdir(stem) else []:
        if name.startswith("message."):
            continue
        with open(os.path.join(stem, name), "rb") as file:
            if digest(file.read()) not in have:
                yield "Attachments.Content", "%r is missing" % name
    if "body.html" in listed:
        for key in ("HtmlBody", "TextBody"):
            if not document[key]:
                yield key, "empty"
