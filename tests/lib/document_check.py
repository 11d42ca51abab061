"""Is this a true inbound document (mailpipe-wire(7))?

check(text, mail) returns the document and a list of findings: strict JSON in strict
UTF-8, every member there with its type, attachments whose base64, length and digest are
true, names that are safe, nothing lost."""

import base64
import binascii
import hashlib
import json
import re
import unicodedata

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ISO_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]+/[!#$%&'*+.^_`{|}~0-9A-Za-z-]+")
# mailin's words for a parser that did not come to its end.
KILLED = "parser "
ALIGNED = [["('DKIM', %s)" % dkim, "('SPF', %s)" % spf] for dkim in (True, False) for spf in (True, False)]
AUTO = ("no", "loop", "bounce", "replied", "generated", "list", "bulk")

ADDRESS = {"Email": str, "Name": str, "MailboxHash": str}
ENVELOPE = {"Sender": str, "Recipient": str, "QueueID": str, "ClientAddress": str,
            "ClientName": str, "Helo": str, "SaslUsername": str}
MAILPIPE = {"Version": int, "ReceivedAt": str, "Envelope": ENVELOPE, "MessageIDHeader": str,
            "InReplyTo": [str], "References": [str], "DateUTC": (str, type(None)), "Auto": str,
            "Verdicts": {"SPF": str, "DKIM": str, "DMARC": str, "ARC": str, "AuthservID": str,
                         "SaslUsername": str},
            "StrippedQuote": str, "ReplyRule": str, "Defects": [str]}
ATTACHMENT = {"Name": str, "ContentType": str, "ContentLength": int, "ContentID": str,
              "Content": str, "Sha256": str, "DetectedType": str, "Disposition": str}
DOCUMENT = {"MessageID": str, "MessageStream": str, "OriginalRecipient": str,
            "MailboxHash": str, "From": str, "FromName": str, "FromFull": ADDRESS, "To": str,
            "ToFull": [ADDRESS], "Cc": str, "CcFull": [ADDRESS], "Bcc": str,
            "BccFull": [ADDRESS], "ReplyTo": str, "Subject": str, "Date": str,
            "TextBody": str, "HtmlBody": str, "StrippedTextReply": str, "Headers": [{"Name": str, "Value": str}],
            "Attachments": [ATTACHMENT], "Mailpipe": MAILPIPE}
# Characters without a width make no line, either.
BLANK = re.compile("[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*\\Z")
# Single lines: a reader pastes them into lists, logs and headers.
ONE_LINE = ("From", "FromName", "To", "Cc", "Bcc", "ReplyTo", "Subject", "Date")


class NotJson(ValueError):
    pass


def _no_duplicates(pairs):
    seen = dict(pairs)
    if len(seen) != len(pairs):
        raise NotJson("the same key twice in one object")
    return seen


def _no_constant(name):
    raise NotJson("%s is no JSON" % name)


def parse(text):
    """bytes to the document; raises ValueError for anything but strict JSON in UTF-8."""
    document = json.loads(text.decode("utf-8", "strict"), object_pairs_hook=_no_duplicates,
                          parse_constant=_no_constant)
    # A surrogate can get into a str only by an escape that stands alone.
    json.dumps(document, ensure_ascii=False).encode("utf-8", "strict")
    return document


def check(text, mail=None):
    try:
        document = parse(text)
    except (ValueError, RecursionError) as error:
        return None, ["no valid JSON: %s" % str(error)[:200]]
    findings = []
    _types(document, DOCUMENT, "document", findings)
    if findings:
        return document, findings + _killed(document)
    _check_mailpipe(document, mail, findings)
    _check_lines(document, findings)
    _check_reply(document, findings)
    for number, attachment in enumerate(document["Attachments"], 1):
        _check_attachment(attachment, "attachment %d" % number, findings)
    if mail is not None:
        _check_nothing_lost(document, mail, findings)
    return document, findings


def _killed(document):
    """Did mailin write it because the parser could not?"""
    try:
        defects = document["Mailpipe"]["Defects"]
        return ["fallback document: %s" % d for d in defects if d.startswith(KILLED)]
    except (AttributeError, KeyError, TypeError):
        return []


def _types(value, wanted, place, findings):
    if isinstance(wanted, dict):
        if not isinstance(value, dict):
            findings.append("%s is no object" % place)
            return
        for key, inner in wanted.items():
            if key in value:
                _types(value[key], inner, "%s.%s" % (place, key), findings)
            else:
                findings.append("%s lacks %s" % (place, key))
    elif isinstance(wanted, list):
        if not isinstance(value, list):
            findings.append("%s is no array" % place)
            return
        for number, item in enumerate(value):
            _types(item, wanted[0], "%s[%d]" % (place, number), findings)
    elif not isinstance(value, wanted) or isinstance(value, bool):
        findings.append("%s is no %s" % (place, getattr(wanted, "__name__", "text or null")))


def _check_mailpipe(document, mail, findings):
    inner = document["Mailpipe"]
    size = inner["Envelope"].get("Size", 0)	# Postfix may not have told
    if not isinstance(size, int) or isinstance(size, bool):
        findings.append("Envelope.Size is no int")
    if not UUID.fullmatch(document["MessageID"]):
        findings.append("MessageID is no UUID")
    if inner["Version"] != 1:
        findings.append("Version is not 1")
    if not ISO_UTC.fullmatch(inner["ReceivedAt"]):
        findings.append("ReceivedAt: %r" % inner["ReceivedAt"])
    if inner["DateUTC"] is not None and not ISO_UTC.fullmatch(inner["DateUTC"]):
        findings.append("DateUTC: %r" % inner["DateUTC"])
    aligned = inner["Verdicts"].get("Aligned")
    if not isinstance(aligned, dict) or sorted(map(str, aligned.items())) not in ALIGNED:
        findings.append("Verdicts.Aligned: %r" % aligned)
    if inner["Auto"] not in AUTO:
        findings.append("Auto: %r" % inner["Auto"])
    defects = inner["Defects"]
    if len(set(defects)) != len(defects):
        findings.append("the same defect twice")
    findings += _killed(document)
    if "Raw" in inner:
        _check_raw(inner["Raw"], mail, findings)


def _check_raw(raw, mail, findings):
    data = _base64(raw)
    if data is None:
        findings.append("Raw is no base64")
    elif mail is not None and data != mail:
        findings.append("Raw is not the mail")


def _base64(text):
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return None


def _check_lines(document, findings):
    for key in ONE_LINE:
        if re.search(r"[\r\n\0]", document[key]):
            findings.append("%s has more than one line" % key)
    for header in document["Headers"]:
        if re.search(r"[\r\n\0]", header["Name"]) or not header["Name"]:
            findings.append("a header's name: %r" % header["Name"][:80])
        if re.search(r"[\r\n\0]", header["Value"]):
            findings.append("header %s has more than one line" % header["Name"][:80])
    for full in ("ToFull", "CcFull", "BccFull"):
        for address in document[full] + [document["FromFull"]]:
            if re.search(r"[\r\n\0]", address["Email"] + address["Name"]):
                findings.append("%s has more than one line" % full)


def _check_reply(document, findings):
    """Reply and quote are the text's lines, each in one of them and in its order."""
    reply, quote, text = ([line for line in part.split("\n") if not BLANK.match(line)] for part in (
        document["StrippedTextReply"], document["Mailpipe"]["StrippedQuote"], document["TextBody"]))
    if not document["Mailpipe"]["ReplyRule"]:
        if document["StrippedTextReply"] != document["TextBody"] or quote:
            findings.append("StrippedTextReply differs without a rule")
        return
    if sorted(reply + quote) != sorted(text):
        findings.append("reply and quote are not the text")
    for part in (reply, quote):
        rest = iter(text)
        if not part or not all(line in rest for line in part):
            findings.append("reply or quote is empty, or out of order")


def unsafe_name(name):
    """What is wrong with an attachment's name, or None."""
    if not name or name in (".", ".."):
        return "empty"
    if re.search(r'[/\\<>:"|?*]', name):
        return "has a character that no file name has"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in name):
        return "has a control character"
    if re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", name):
        return "has a bidirectional control"
    if name[0] == "." or name[-1] in ". ":
        return "begins or ends with a dot or a space"
    if len(name.encode("utf-8")) > 255:
        return "is longer than 255 bytes"
    return None


def _check_image(image, place, findings):
    if not (isinstance(image, dict) and set(image) == {"Width", "Height", "Orientation"}
            and all(type(value) is int for value in image.values())):
        findings.append("%s: Image is %r" % (place, image))
    elif image["Width"] < 1 or image["Height"] < 1 or not 1 <= image["Orientation"] <= 8:
        findings.append("%s: Image is %r" % (place, image))


def _check_archive(archive, place, findings):
    _types(archive, {"Entries": [{"Name": str, "Size": int}], "Unread": str}, place, findings)
    if findings:
        return
    if archive["Unread"] not in ("", "broken", "encrypted", "format", "limit") or type(archive.get("Encrypted")) is not bool:
        findings.append("%s: Archive is %r, %r" % (place, archive["Unread"], archive.get("Encrypted")))
    for entry in archive["Entries"]:
        wrong = unsafe_name(entry["Name"])
        if wrong or entry["Size"] < 0:
            findings.append("%s: the entry %r %s" % (place, entry, wrong))


def _check_attachment(attachment, place, findings):
    if "Image" in attachment:
        _check_image(attachment["Image"], place, findings)
    if "Archive" in attachment:
        _check_archive(attachment["Archive"], place, findings)
    data = _base64(attachment["Content"])
    if data is None:
        findings.append("%s: Content is no base64" % place)
        return
    if attachment["ContentLength"] != len(data):
        findings.append("%s: ContentLength %d of %d bytes"
                        % (place, attachment["ContentLength"], len(data)))
    if attachment["Sha256"] != hashlib.sha256(data).hexdigest():
        findings.append("%s: Sha256 is another's" % place)
    wrong = unsafe_name(attachment["Name"])
    if wrong:
        findings.append("%s: the name %r %s" % (place, attachment["Name"][:80], wrong))
    for key in ("ContentType", "DetectedType"):
        if not MEDIA_TYPE.fullmatch(attachment[key]):
            findings.append("%s: %s is %r" % (place, key, attachment[key][:80]))
    if attachment["Disposition"] not in ("attachment", "inline", ""):
        findings.append("%s: Disposition is %r" % (place, attachment["Disposition"][:80]))


def _check_nothing_lost(document, mail, findings):
    """A mail with words in it never becomes a document without any."""
    if b"\n" not in mail:
        mail = mail.replace(b"\r", b"\n")
    # Neither an mbox's line nor a byte order mark is text.
    mail = re.sub(rb"^>?From [^\n]*", b"", mail.removeprefix(b"\xef\xbb\xbf"))
    if not re.search(rb"[0-9A-Za-z\x80-\xff]", mail):
        return
    texts = (document["TextBody"], document["HtmlBody"], document["Attachments"],
             document["Mailpipe"].get("Raw"))
    body = re.split(rb"\r?\n\r?\n", mail, maxsplit=1)
    # The preamble, boundaries and the headers of parts are no text.
    plain = re.sub(rb"(?s)^.*?\n--(?=[^\n])", b"--", body[-1], count=1)
    plain = re.sub(rb"(?m)^(--|[!-9;-~]+:|[ \t]).*$", b"", plain)
    if len(body) == 2 and re.search(rb"[0-9A-Za-z\x80-\xff]", plain):
        if not any(texts):
            findings.append("nothing of the body is left")
    elif not any(texts) and not document["Headers"]:
        findings.append("nothing of the mail is left")
