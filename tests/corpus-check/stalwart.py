"""stalwart's mail-parser: NAME.eml with NAME.json (and NAME.crlf.json for the same mail with CRLF),
and files of single header fields (address.json, date.json ...) that become small mails.

Its text_body, html_body and attachments are lists of parts as RFC 8621, 4.1.4 makes them.  Ours are
the same but for three habits: TextBody and HtmlBody hold nothing that was converted from the other,
except that HTML-only mail gets a text; inline images are attachments; comments in addresses
are not pasted to the name."""

import datetime
import json
import os
import re

from case import Case, differs, digest, excerpt, headers, squeeze

WORD = re.compile(r"[^\W_]{3,}")


def alike(ours, theirs):
    """Equal, but where they gave up on bytes (U+FFFD) anything will do: we guess a charset."""
    if "\ufffd" not in theirs:
        return ours == theirs
    return re.fullmatch(re.sub("\ufffd+", ".+", re.escape(theirs)), ours, re.DOTALL) is not None


def cases(path, name, mail):
    base = os.path.basename(path)
    if base in FIELDS:
        return field_cases(base, name, mail)
    if not path.endswith(".eml") or not os.path.exists(path[:-4] + ".json"):
        return []
    found = [case(path[:-4] + ".json", name, mail)]
    crlf = path[:-4] + ".crlf.json"
    if os.path.exists(crlf):
        found.append(case(crlf, name[:-4] + ".crlf.eml", re.sub(rb"(?<!\r)\n", b"\r\n", mail)))
    return [c for c in found if c]


def case(json_path, name, mail):
    with open(json_path, encoding="utf-8") as file:
        expected = json.load(file)
    if not isinstance(expected, dict) or "text_body" not in expected:
        return None
    return Case(name, mail, lambda document: expect(expected, mail, document))


# ---- header fields ----

def addresses_of(value):
    """Address{List} or Address{Group} as (name, address) pairs, flat."""
    value = value or {}
    if "Group" in value:
        pairs = [a for g in value["Group"] for a in g["addresses"]]
    else:
        pairs = value.get("List") or []
    # A word without '@' they call a name, we an address.
    return [("", a["name"]) if not a.get("address") and a.get("name")
            else (a.get("name") or "", a.get("address") or "") for a in pairs]


def without_comments(text):
    return squeeze(re.sub(r"\([^()]*\)", " ", text))


def expect_addresses(field, full, expected):
    ours = [a["Email"] for a in full]
    theirs = [re.sub(r"^@[^:]*:|\s+", "", address) for _, address in expected]
    yield from differs(field, ours, theirs)
    if ours != theirs:
        return
    for got, (name, _) in zip(full, expected):
        ours = squeeze(got["Name"])
        if not alike(ours, squeeze(name)) and ours != without_comments(name):
            yield field + ".Name", "%s, expected %s" % (excerpt(got["Name"]), excerpt(name))


def utc_of(value):
    zone = datetime.timedelta(hours=value["tz_hour"], minutes=value["tz_minute"])
    try:
        local = datetime.datetime(value["year"], value["month"], value["day"], value["hour"],
                                  value["minute"], value["second"])
        return (local + zone if value["tz_before_gmt"] else local - zone).isoformat() + "Z"
    except (ValueError, OverflowError):
        return ""


def whole_seconds(utc):
    return re.sub(r"\.\d+Z$", "Z", utc or "")


FULL = {"from": None, "to": "ToFull", "cc": "CcFull", "bcc": "BccFull"}


def expect_headers(parts, document):
    seen = {}
    for header in parts[0]["headers"]:
        name = header["name"]
        name = name["other"] if isinstance(name, dict) else name.replace("_", "-")
        seen.setdefault(name.lower(), []).append(header["value"])
    for name, values in seen.items():
        got = headers(document, name)
        if len(got) != len(values):
            yield "Headers", "%s: %d times, expected %d" % (name, len(got), len(values))
            continue
        for ours, theirs in zip(got, values):
            if isinstance(theirs, dict) and "Text" in theirs:
                text = squeeze(theirs["Text"])
                if squeeze(ours) != "<%s>" % text and not alike(squeeze(ours), text):
                    yield "Headers." + name, "%s, expected %s" % (excerpt(ours), excerpt(text))
    for name, key in FULL.items():
        if name in seen and isinstance(seen[name][0], dict) and "Address" in seen[name][0]:
            full = document[key] if key else [document["FromFull"]]
            expected = [a for v in seen[name] for a in addresses_of(v.get("Address"))]
            yield from expect_addresses(key or "FromFull", full, expected if key else expected[:1])
    if "date" in seen and isinstance(seen["date"][0], dict) and "DateTime" in seen["date"][0]:
        yield from differs("DateUTC", whole_seconds(document["Mailpipe"]["DateUTC"]),
                           utc_of(seen["date"][0]["DateTime"]))


# ---- bodies and attachments ----

def kind_of(part):
    body = part["body"]
    return next(iter(body)) if isinstance(body, dict) else body


def content_type(part):
    for header in part["headers"]:
        if header["name"] == "content_type" and "ContentType" in header["value"]:
            value = header["value"]["ContentType"]
            return "%s/%s" % (value["c_type"], value.get("c_subtype") or "")
    return "text/plain"


def name_of(part):
    found = {}
    for header in part["headers"]:
        if header["name"] in ("content_type", "content_disposition") \
                and isinstance(header["value"], dict):
            for attribute in header["value"]["ContentType"].get("attributes") or []:
                pair = attribute if isinstance(attribute, list) else list(attribute.values())
                found.setdefault((header["name"], pair[0]), pair[1])
    return found.get(("content_disposition", "filename")) or found.get(("content_type", "name"))


def expect_bodies(expected, document):
    parts = expected["parts"]
    place = 0
    text = squeeze(document["TextBody"])
    for index in expected["text_body"]:
        if kind_of(parts[index]) != "Text" or index in expected["attachments"]:
            continue
        wanted = squeeze(parts[index]["body"]["Text"])
        if "\ufffd" in wanted:
            if not alike(text, "\ufffd" + wanted + "\ufffd") and not alike(text, wanted):
                yield "TextBody", "is not like part %d: %s" % (index, excerpt(wanted))
            continue
        at = text.find(wanted, place)
        if at < 0:
            yield "TextBody", "lacks part %d: %s" % (index, excerpt(wanted))
        else:
            place = at + len(wanted)
    html = squeeze(document["HtmlBody"])
    for index in expected["html_body"]:
        if kind_of(parts[index]) == "Html" and squeeze(parts[index]["body"]["Html"]) not in html:
            yield "HtmlBody", "lacks part %d" % index
    if any(kind_of(parts[i]) == "Html" and WORD.search(re.sub(r"<[^>]*>|&\w+;", " ", parts[i]["body"]["Html"]))
           for i in expected["html_body"]) and not text:
        yield "TextBody", "empty for an HTML mail"


def text_of(attachment):
    """An attachment's bytes as text, if they are any."""
    import base64
    data = base64.b64decode(attachment["Content"])
    found = []
    for charset in ("utf-8", "windows-1252", "iso-8859-1", "iso-2022-jp", "utf-16", "utf-7"):
        try:
            found.append(squeeze(data.decode(charset)))
        except (UnicodeError, LookupError):
            pass
    return found


def expect_attachment(index, part, mail, got):
    where = "attachment of part %d" % index
    kind = kind_of(part)
    if kind in ("Binary", "InlineBinary"):
        data = bytes(part["body"][kind])
        if digest(data) != got["Sha256"]:
            yield "Attachments.Content", "%s: %d bytes, expected %d" % (where, got["ContentLength"], len(data))
    elif kind in ("Text", "Html") and not part["is_encoding_problem"]:
        if squeeze(part["body"][kind]) not in text_of(got):
            yield "Attachments.Content", "%s: another text" % where
    elif kind == "Message":
        wanted = squeeze(mail[part["offset_body"]:part["offset_end"]].decode("latin-1"))
        encoded = any(h["name"] == "content_transfer_encoding" and h["value"]["Text"].lower() == "base64"
                      for h in part["headers"] if isinstance(h["value"], dict))
        if wanted not in text_of(got) and not encoded and not part["is_encoding_problem"]:
            yield "Attachments.Content", "%s: another mail" % where
    name = name_of(part)
    if name and not alike(squeeze(got["Name"]), squeeze(re.split(r"[/\\]", name)[-1])):
        yield "Attachments.Name", "%s, expected %s" % (excerpt(got["Name"]), excerpt(name))


def expect_attachments(expected, mail, document):
    parts = expected["parts"]
    shown = set(expected["text_body"]) | set(expected["html_body"])
    wanted = [i for i, part in enumerate(parts)
              if kind_of(part) != "Multipart"
              and (i in expected["attachments"] or i not in shown
                   or kind_of(part) not in ("Text", "Html"))]
    got = document["Attachments"]
    if len(got) != len(wanted):
        yield "Attachments", "%d %s, expected %d %s" % (
            len(got), excerpt([a["ContentType"] for a in got]),
            len(wanted), excerpt([content_type(parts[i]) for i in wanted]))
        return
    for index, attachment in zip(wanted, got):
        yield from expect_attachment(index, parts[index], mail, attachment)


def expect(expected, mail, document):
    yield from expect_headers(expected["parts"], document)
    yield from expect_bodies(expected, document)
    yield from expect_attachments(expected, mail, document)


# ---- single header fields ----

def expect_subject(expected, document):
    yield from differs("Subject", squeeze(document["Subject"]), squeeze(expected))


def expect_to(expected, document):
    yield from expect_addresses("ToFull", document["ToFull"], addresses_of(expected))


def expect_date(expected, document):
    yield from differs("DateUTC", whole_seconds(document["Mailpipe"]["DateUTC"]),
                       utc_of(expected) if expected else "")


def expect_references(expected, document):
    yield from differs("References", document["Mailpipe"]["References"], expected or [])


def expect_keywords(expected, document):
    ours = [squeeze(word) for word in headers(document, "Keywords")[0].split(",")]
    yield from differs("Headers.keywords", [word for word in ours if word], expected or [])


def expect_type(expected, document):
    if not expected or not expected.get("c_subtype") or not document["Attachments"] \
            or expected["c_type"].lower() == "multipart":
        return
    got = document["Attachments"][0]
    wanted = "%s/%s" % (expected["c_type"], expected["c_subtype"])
    yield from differs("Attachments.ContentType", got["ContentType"], wanted.lower())
    names = [v for k, v in expected.get("attributes") or [] if k == "name"]
    if names:
        yield from differs("Attachments.Name", got["Name"], re.split(r"[/\\]", names[0])[-1])


def expect_nothing(_expected, _document):
    return ()


FIELDS = {
    "address.json": ("To: ", expect_to),
    "content_type.json": ("Content-Disposition: attachment\nContent-Type: ", expect_type),
    "date.json": ("Date: ", expect_date),
    "id.json": ("References: ", expect_references),
    "list.json": ("Keywords: ", expect_keywords),
    "received.json": ("Received: ", expect_nothing),
    "unstructured.json": ("Subject: ", expect_subject),
}


def field_cases(base, name, text):
    start, compare = FIELDS[base]
    try:
        entries = json.loads(text)
    except ValueError:
        return []
    if not isinstance(entries, list) or not all(isinstance(e, dict) and "header" in e for e in entries):
        return []
    found = [Case(name, text)]
    for number, entry in enumerate(entries):
        mail = ("%s%s\n\nbody\n" % (start, entry["header"])).encode("utf-8")
        found.append(Case("%s#%d" % (name, number), mail, binder(compare, entry["expected"])))
    return found


def binder(compare, expected):
    return lambda document: compare(expected, document)
