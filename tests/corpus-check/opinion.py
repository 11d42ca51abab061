"""A second opinion: Python's email package on the same bytes."""

import email
import email.header
import email.policy
import email.utils

from case import digest, excerpt, squeeze


def parse(mail):
    """Python's message (modern policy), or None where it gives up."""
    if mail.startswith(b"From "):
        mail = mail.partition(b"\n")[2]
    try:
        return email.message_from_bytes(mail, policy=email.policy.default)
    except Exception:
        return None


def field(message, name):
    """One decoded header value, or None."""
    try:
        value = message[name]
        return None if value is None else str(value)
    except Exception:  # the header parser raises many kinds on broken fields
        return None


def from_address(message):
    try:
        addresses = message["From"].addresses
        spec = addresses[0].addr_spec if addresses else ""
        return "" if spec == "<>" else spec
    except Exception:
        return None


def leaves(message):
    """The parts that hold content; an attached mail is one of them."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in message.get_payload():
            yield from leaves(part)
    else:
        yield message


def body_of(part):
    """The decoded bytes of a leaf that is not an attached mail."""
    try:
        return part.get_payload(decode=True) or b""
    except Exception:
        return b""


def is_file(part):
    return (part.get_content_maintype() not in ("text", "message", "multipart")
            or part.get_content_disposition() == "attachment" and not part.is_multipart())


def differences(mail, document):
    message = parse(mail)
    if message is None:
        yield "python-gave-up", ""
        return
    try:
        yield from _differences(message, document)
    except Exception as error:
        yield "python-gave-up", repr(error)


def _differences(message, document):
    subject = field(message, "Subject")
    if subject is not None and squeeze(subject) != squeeze(document["Subject"]):
        yield "subject", "%s, python %s" % (excerpt(document["Subject"]), excerpt(subject))
    sender = from_address(message)
    ours = document["FromFull"]["Email"]
    if sender is not None and sender.lower() != ours.lower():
        yield "from", "%s, python %s" % (excerpt(ours), excerpt(sender))
    files = [body_of(p) for p in leaves(message) if is_file(p)]
    have = {a["Sha256"] for a in document["Attachments"]}
    missing = [f for f in files if f and digest(f) not in have]
    if missing:
        yield "attachment-digest", "%d of %d files" % (len(missing), len(files))
    if len(files) > len(document["Attachments"]):
        yield "attachment-count", "%d, python %d" % (len(document["Attachments"]), len(files))
