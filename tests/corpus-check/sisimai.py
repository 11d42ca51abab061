"""sisimai's bounces (beside an expected.json with engines): From and Subject must be what Python's
mail parser reads, too; what kind of bounce it is belongs to another program."""

import os

import opinion
from case import Case, differs, squeeze


def cases(path, name, mail):
    folder = os.path.dirname(os.path.dirname(path))
    if not path.endswith(".eml") or not os.path.exists(os.path.join(folder, "expected.json")):
        return []
    return [Case(name, mail, lambda document: expect(mail, document))]


def expect(mail, document):
    message = opinion.parse(mail)
    if message is None:
        return
    subject = opinion.field(message, "Subject")
    yield from differs("Subject", squeeze(document["Subject"]), squeeze(subject))
    sender = opinion.from_address(message)
    if sender:
        yield from differs("From", document["FromFull"]["Email"].lower(), sender.lower())
