#!/usr/bin/python3
"""For tests/it/quarantine-admits.t: each `require` with each `unverified`, for mails that have proven this or that.

usage: admission.py DIRECTORY

Reads documents (tests/lib/inbound-document) and writes config (routes), sql (registered addresses), documents.ROUTE
and expected: "NUMBER ROUTE PROOF PLACE VERIFIED", PLACE being stored, quarantine or dead.
"""
import copy
import json
import subprocess
import sys
from pathlib import Path

REQUIRES = ("none", "spf-or-dkim", "dmarc", "token", "registered")
UNVERIFIED = ("quarantine", "refuse", "accept")
FAILED = {"SPF": "fail", "DKIM": "none", "DMARC": "fail", "ARC": "", "AuthservID": "mx.example.com",
          "Aligned": {"SPF": False, "DKIM": False}, "SaslUsername": ""}
SPF = {"SPF": "pass", "Aligned": {"SPF": True, "DKIM": False}}
DKIM = {"DKIM": "pass", "Aligned": {"SPF": False, "DKIM": True}}
OTHERS = {"SPF": "pass", "DKIM": "pass"}    # for another domain
DMARC = {"DMARC": "pass"}

# What a mail has -> which requirements that fulfils; for "none" whether From is true.
PROOFS = {
    "nothing": ((), {}),
    "others": ((), OTHERS),
    "spf": (("none", "spf-or-dkim"), SPF),
    "dkim": (("none", "spf-or-dkim"), DKIM),
    "dmarc": (("none", "spf-or-dkim", "dmarc"), DMARC),
    "login": (("none", "spf-or-dkim", "dmarc"), {}),
    "unchecked": ((), None),
    "token": (("token", "registered"), {}),
    "token-dmarc": (REQUIRES, DMARC),
    "wrong-token": ((), {}),
    "others-token": ((), {}),
    "member": ((), {}),
    "member-spf": (("none", "spf-or-dkim", "registered"), SPF),
    "member-dmarc": (("none", "spf-or-dkim", "dmarc", "registered"), DMARC),
}
MEMBER = "member@example.net"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ROUTES = len(REQUIRES) * len(UNVERIFIED)


def token(index):
    return "secret" + LETTERS[index] * 19 + "a"


def write(document, proof, verdicts, index):
    inner = document["Mailpipe"]
    inner["Verdicts"] = None if verdicts is None else {**FAILED, **verdicts}
    if proof == "login":
        inner["Envelope"]["SaslUsername"] = "ann"
    if proof.startswith("member"):
        document["From"] = document["FromFull"]["Email"] = MEMBER
    tag = {"token": token(index), "token-dmarc": token(index), "wrong-token": token(index).replace("secret", "public"),
           "others-token": token((index + 1) % ROUTES)}.get(proof, "")
    if tag:
        document["OriginalRecipient"] = document["OriginalRecipient"].replace("@", "+%s@" % tag)
        document["MailboxHash"] = tag
    return document


def expected(require, unverified, proof):
    fulfils, verdicts = PROOFS[proof]
    if require in fulfils:
        return "stored yes"
    if require == "none":
        return "stored " + ("unchecked" if verdicts is None else "no")
    return {"quarantine": "quarantine -", "refuse": "dead -", "accept": "stored no"}[unverified]


def main():
    out = Path(sys.argv[1])
    make = Path(__file__).with_name("inbound-document")
    template = json.loads(subprocess.run([make], check=True, capture_output=True, text=True).stdout)
    config, sql, places = [], [], []
    number = 0
    routes = [(r, u) for r in REQUIRES for u in UNVERIFIED]
    for index, (require, unverified) in enumerate(routes):
        route = "%s-%s" % (require, unverified)
        address = route + "@example.com"
        config.append("\n[route %s]\nrecipients = %s\nrequire = %s\nunverified = %s\nnotify = no\n"
                      % (route, address, require, unverified))
        for name, needs_token, sender in (("member", 0, MEMBER), ("token", 1, "*")):
            sql.append("INSERT INTO registered_addresses (address, address_utf8, route, owner_id, needs_token)"
                       " VALUES ('%s', '%s', '%s', '%s-%d', %d); SET @id = LAST_INSERT_ID();"
                       " INSERT INTO registered_senders VALUES (@id, '%s', '%s %s');"
                       % (address, address, route, name, index, needs_token, sender, sender, address))
        sql.append("INSERT INTO registered_tokens (token_hash, registered_id) VALUES"
                   " (UNHEX(SHA2('%s', 256)), @id);" % token(index))
        with open(out / ("documents." + route), "w", encoding="utf-8") as file:
            for proof in PROOFS:
                number += 1
                document = copy.deepcopy(template)
                document["MessageID"] = "00000000-0000-8000-8000-%012d" % number
                document["MessageStream"] = route
                document["OriginalRecipient"] = address
                json.dump(write(document, proof, PROOFS[proof][1], index), file)
                file.write("\n")
                places.append("%d %s %s %s" % (number, route, proof, expected(require, unverified, proof)))
    (out / "config").write_text("".join(config), encoding="utf-8")
    (out / "sql").write_text("\n".join(sql) + "\n", encoding="utf-8")
    (out / "expected").write_text("\n".join(places) + "\n", encoding="utf-8")


main()
