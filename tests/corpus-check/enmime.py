"""enmime's test data.  NAME.golden is what its encoder writes: the bodies and files in it must come
back.  The .raw mails have no expectations but their names, which tell enough for a table."""

import fnmatch
import os

import opinion
from case import Case, differs, digest, squeeze


def cases(path, name, mail):
    base = os.path.basename(path)
    if base.endswith(".golden"):
        return [Case(name, mail, lambda document: expect_golden(mail, document))]
    hints = [check for pattern, check in HINTS if fnmatch.fnmatchcase(base, pattern)]
    if not hints or not os.path.isdir(os.path.join(os.path.dirname(path), "..", "low-quality")):
        return []
    return [Case(name, mail, lambda document: (d for check in hints for d in check(document)))]


def expect_golden(mail, document):
    message = opinion.parse(mail)
    have = {a["Sha256"] for a in document["Attachments"]}
    text = squeeze(document["TextBody"]) + squeeze(document["HtmlBody"])
    for number, part in enumerate(opinion.leaves(message), 1):
        body = opinion.body_of(part)
        if part.get_content_maintype() == "message" or not body.strip():
            continue
        if opinion.is_file(part):
            if digest(body) not in have:
                yield "part %d" % number, "the file is not among the attachments"
        elif squeeze(body.decode("utf-8", "replace")) not in text:
            yield "part %d" % number, "the text is in no body"
    subject = opinion.field(message, "Subject")
    if subject is not None:
        yield from differs("Subject", squeeze(document["Subject"]), squeeze(subject))


def attachment(document):
    if not document["Attachments"]:
        yield "Attachments", "none"


def no_attachment(document):
    if document["Attachments"]:
        yield "Attachments", "%d, expected none" % len(document["Attachments"])


def text(document):
    if not document["TextBody"].strip():
        yield "TextBody", "empty"


def html(document):
    if "<" not in document["HtmlBody"]:
        yield "HtmlBody", "empty"


def no_html(document):
    if document["HtmlBody"]:
        yield "HtmlBody", "not empty"


def defect(document):
    if not document["Mailpipe"]["Defects"]:
        yield "Defects", "none"


def decoded(document):
    for key in ("TextBody", "HtmlBody", "Subject"):
        if "=C3=" in document[key] or "=?" in document[key]:
            yield key, "not decoded"


HINTS = (
    ("attachment.raw", attachment),
    ("attachment-application.raw", attachment),
    ("attachment-octet.raw", attachment),
    ("attachment-only.raw", attachment),
    ("attachment-only-inline.raw", attachment),
    ("attachment-only-text-attachment.raw", attachment),
    ("attachment-only-no-disposition.raw", attachment),
    ("bin-attach.raw", attachment),
    ("malformed-base64-attach.raw", attachment),
    ("multibase64.raw", attachment),
    ("other-*.raw", attachment),
    ("mime-bad-8bit-filename.raw", attachment),
    ("mime-alternative.raw", no_attachment),
    ("mime-alternative.raw", text),
    ("html-*.raw", html),
    ("html-*.raw", text),
    ("non-mime.raw", no_html),
    ("non-mime*.raw", text),
    ("non-mime-html*.raw", html),
    ("quoted-printable*.raw", text),
    ("quoted-printable*.raw", decoded),
    ("qp-*.raw", decoded),
    ("textplain.raw", text),
    ("unk-charset-part.raw", defect),
    ("unk-encoding-part.raw", defect),
    ("multipart-wo-boundary.raw", defect),
    ("multimixed-no-closing-boundary.raw", text),
    ("bad-final-boundary.raw", text),
    ("missing-content-type*.raw", text),
    ("incorrect-charset.raw", text),
    ("erroneous.raw", defect),
)
