#!/usr/bin/python3
# Python's email package reads of each message what the request says: of those in tests/mime, and of random ones.
import base64
import email
import email.header
import email.policy
import email.utils
import json
import os
import random
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import compose  # noqa: E402

RANDOM_REQUESTS = 150
LINE_MAX = 998
FOLDED_MAX = 78
ENCODED_MAX = 76

# IDNA 2008; Python's own codec is 2003 and makes two s of this one.
ALABELS = {"straße.example": "xn--strae-oqa.example"}

ALPHABET = "abc xyz,.\"\\<>@()=?_;:'äöüßéñ日本語メール🎉🏆  "


def alabel(address):
    local, _, domain = address.rpartition("@")
    return local + "@" + (ALABELS.get(domain) or domain.encode("idna").decode())


def mailboxes(value):
    """[(name, email)] of a request's field; those in the test are lists, or simple enough to be cut here."""
    if value is None:
        return []
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list):
        found = [("", one) if isinstance(one, str) else (one.get("Name") or "", one["Email"]) for one in value]
    else:
        found = []
        for quoted, plain, bracketed, bare in re.findall(
                r'\s*(?:(?:"([^"]*)"|([^<>",]*?))\s*<([^<>]*)>|([^<>",]+))\s*(?:,|$)', value):
            found.append((quoted or plain, bracketed or bare.strip()))
    return [(name.strip(), alabel(address)) for name, address in found]


def read_mailboxes(raw, name):
    """By the package's older functions: its newer ones keep the blanks between encoded words in a name (RFC 2047, 6.2)."""
    value = email.message_from_bytes(raw)[name]
    if value is None or value.endswith(":;"):
        return []
    found = email.utils.getaddresses([re.sub(r"\r?\n", "", value)])
    return [(str(email.header.make_header(email.header.decode_header(name))), address) for name, address in found]


def lines_of(text):
    """As they are sent: with one kind of end, and one at the end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") or not text else text + "\n"


class Checks:
    def __init__(self):
        self.problems = []

    def equal(self, got, wanted, what):
        if got != wanted:
            self.problems.append("%s: got %r, wanted %r" % (what, got, wanted))

    def true(self, truth, what):
        if not truth:
            self.problems.append(what)


def check_bytes(check, raw):
    check.true(max(raw) < 0x80, "8-bit bytes")
    check.true(b"\0" not in raw, "NUL")
    check.true(raw.endswith(b"\r\n"), "no CRLF at the end")
    check.true(not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "bare CR or LF")
    check.true(not re.search(rb"^From ", raw, re.M), "a line that begins with From and a blank")
    for line in raw.split(b"\r\n"):
        check.true(len(line) <= LINE_MAX, "a line of %d bytes" % len(line))
        # What cannot be folded has no blank within.
        if len(line) > FOLDED_MAX:
            check.true(b" " not in line.strip().split(b": ", 1)[-1], "not folded: %r" % line)
        for word in re.findall(rb"=\?[^ ?]+\?[BQ]\?[^ ?]*\?=", line):
            check.true(len(word) <= 75, "an encoded word of %d bytes" % len(word))


def check_headers(check, raw, message, request):
    for field, name in (("From", "From"), ("To", "To"), ("Cc", "Cc"), ("ReplyTo", "Reply-To")):
        check.equal(read_mailboxes(raw, name), mailboxes(request.get(field)), name)
    check.equal(message["Bcc"], None, "Bcc")
    check.equal(str(message["Subject"]), request["Subject"].replace("\t", " "), "Subject")
    domain = alabel(mailboxes(request["From"])[0][1]).rpartition("@")[2]
    check.equal(message["Message-ID"], "<%s@%s>" % (request["MessageID"], domain), "Message-ID")
    check.equal(message["MIME-Version"], "1.0", "MIME-Version")
    check.true(message["Date"].datetime is not None, "Date")
    for header in request.get("Headers", []):
        check.equal(message[header["Name"]], header["Value"], header["Name"])
    leave = request.get("ListUnsubscribe")
    if leave:
        wanted = ", ".join(filter(None, [leave.get("Url") and "<%s>" % leave["Url"],
                                         leave.get("Mailto") and "<mailto:%s>" % leave["Mailto"]]))
        check.equal(message["List-Unsubscribe"], wanted, "List-Unsubscribe")
        check.equal(message["List-Unsubscribe-Post"], leave.get("Url") and "List-Unsubscribe=One-Click",
                    "List-Unsubscribe-Post")


def check_attachments(check, message, request):
    files = [part for part in message.walk() if part.get_filename() is not None]
    wanted = {attachment["Name"]: attachment for attachment in request.get("Attachments", [])}
    check.equal(sorted(part.get_filename() for part in files), sorted(wanted), "names")
    for part in files:
        attachment = wanted.get(part.get_filename(), {})
        content_type = attachment.get("ContentType", "application/octet-stream").split(";")[0]
        if content_type == "message/rfc822":
            content_type = "application/octet-stream"
        check.equal(part.get_content_type(), content_type, "type")
        check.equal(part.get_payload(decode=True), base64.b64decode(attachment.get("Content", "")), "content")
        cid = attachment.get("ContentID", "").replace("cid:", "")
        check.equal(part["Content-ID"], "<%s>" % cid if cid else None, "Content-ID")
        shown = bool(cid) and "cid:" + cid in (request.get("HtmlBody") or "")
        check.equal(part.get_content_disposition(), "inline" if shown else "attachment", "disposition")


def check_texts(check, message, request):
    texts = [part for part in message.walk() if part.get_filename() is None and not part.is_multipart()]
    read = {part.get_content_subtype(): part.get_content() for part in texts}
    text, html = request.get("TextBody"), request.get("HtmlBody")
    check.equal([part.get_content_subtype() for part in texts], ["plain"] + (["html"] if html else []), "texts")
    check.equal([part.get_content_charset() for part in texts], ["utf-8"] * len(texts), "charsets")
    if text is not None:
        check.equal(lines_of(read["plain"]), lines_of(text), "TextBody")
    if html:
        check.equal(lines_of(read["html"]), lines_of(html), "HtmlBody")
    for part in texts:
        if part["Content-Transfer-Encoding"] != "7bit":
            longest = max(len(line) for line in part.get_payload().splitlines())
            check.true(longest <= ENCODED_MAX, "an encoded line of %d bytes" % longest)


def check_defects(check, message):
    for part in message.walk():
        check.equal(part.defects, [], "defects")
        for name, value in part.items():
            # name="=?UTF-8?...", for clients that do not know RFC 2231, is as wrong as it is usual.
            defects = [defect for defect in map(str, value.defects)
                       if name != "Content-Type" or "encoded" not in defect]
            check.equal(defects, [], "defects of " + name)


def problems_of(request):
    check = Checks()
    raw, complaint = compose.compose(json.dumps(request).encode())
    check.equal(complaint, "", "standard error")
    if raw is None:
        return check.problems
    message = email.message_from_bytes(raw, policy=email.policy.default)
    check_bytes(check, raw)
    check_defects(check, message)
    check_headers(check, raw, message, request)
    check_texts(check, message, request)
    check_attachments(check, message, request)
    return check.problems


def random_text(rng, most):
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(most)))


def one_line(rng, most):
    return re.sub(" +", " ", random_text(rng, most)).strip()


def random_address(rng, number):
    return {"Name": one_line(rng, 60), "Email": "user%d@%s" % (number, rng.choice(
        ["example.com", "bücher.example", "a-rather-long-name-of-a-domain.department.example.org"]))}


def random_body(rng):
    return "\n".join(rng.choice(["", "From ", ".", "> "]) + random_text(rng, 200)
                     for _ in range(rng.randrange(8)))


def random_attachment(rng, number):
    attachment = {"Name": "%d-%s.bin" % (number, one_line(rng, 50).replace("\\", "_").strip()),
                  "Content": base64.b64encode(rng.randbytes(rng.randrange(300))).decode(),
                  "ContentType": rng.choice(["image/png", "application/pdf", "text/plain; charset=utf-8"])}
    if rng.random() < 0.4:
        attachment["ContentID"] = "id%d@example.com" % number
    return attachment


def random_request(rng, number):
    request = {
        "MessageID": "01890000-0000-7000-8000-%012d" % number,
        "From": random_address(rng, 0),
        "To": [random_address(rng, i) for i in range(1, rng.randrange(2, 6))],
        "Subject": random_text(rng, 120),
        "TextBody": random_body(rng),
    }
    # Nobody's parser keeps blanks at the ends of what is all blanks.
    request["Subject"] = request["Subject"].strip()
    if rng.random() < 0.5:
        request["Attachments"] = [random_attachment(rng, i) for i in range(rng.randrange(4))]
    if rng.random() < 0.5:
        shown = "".join("<img src='cid:id%d@example.com'>" % i for i in range(2))
        request["HtmlBody"] = shown + random_body(rng) + "<p>"
    return request


def main():
    rng = random.Random(20241)
    cases = [(name, json.loads(compose.read(name, ".json"))) for name in compose.names()]
    cases += [("random %d" % i, random_request(rng, i)) for i in range(RANDOM_REQUESTS)]
    failed = 0
    print("1..%d" % len(cases))
    for number, (name, request) in enumerate(cases, 1):
        if name == "only-bcc":
            request.pop("To")
        problems = problems_of(request)
        print("%s %d - %s" % ("not ok" if problems else "ok", number, name))
        for problem in problems:
            print("# " + problem, file=sys.stderr)
        failed += bool(problems)
    sys.exit(1 if failed else 0)


main()
