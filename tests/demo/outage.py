"""The demo's fourth act: the database is away, and nobody is left wondering.

A mail is posted; its poster is told of the delay, once; mailctl shows where it waits; the database returns, and
the mail is stored, once.
"""
import email
import email.policy
import json
import subprocess
import time
from pathlib import Path

from waiting import wait_for

WITHIN_S = 60
MESSAGE_ID = "outage-1@member.example.net"
POSTER = "nina@member.example.net"
# The demo's Postfix checks neither SPF nor DKIM: the field that such a filter adds is in the mail already.
MAIL = f"""\
Authentication-Results: mx.example.test; spf=pass smtp.mailfrom={POSTER}
From: Nina Berg <{POSTER}>
To: support@example.test
Subject: Posted while the database was away
Message-ID: <{MESSAGE_ID}>
Date: Sun, 22 Nov 2026 12:00:00 +0100

Is anybody there?
"""
NOTIFY = """\
[notify]
delay_after = 3s
"""


class Outage:
    def __init__(self, sandbox, failures):
        self.sandbox = sandbox
        self.failures = failures
        self.mailctl = [sandbox.directory / "usr/bin/mailctl", "-c", sandbox.env["CONFIG"]]

    def run(self, *words):
        return subprocess.run([*self.mailctl, *words], check=False, capture_output=True, text=True)

    def show(self, *words):
        print(f"\n    $ mailctl {' '.join(words)}")
        for line in self.run(*words).stdout.splitlines():
            print(f"    {line}"[:120])

    def notices(self):
        """Mails to the poster that answer the mail."""
        found = []
        for path in Path(self.sandbox.env["MAILBOX"]).glob("*"):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if mail["X-Original-To"] == POSTER and MESSAGE_ID in (mail["In-Reply-To"] or ""):
                found.append(mail)
        return found

    def rows(self):
        return self.sandbox.query("SELECT HEX(JSON_OBJECT('subject', subject, 'text', text_body)) FROM messages"
                                  f" WHERE message_id_header = '{MESSAGE_ID}'")

    def begin(self):
        self.sandbox.configure(NOTIFY)
        self.sandbox.server("halt", "database")
        print("\n  the database is stopped")

    def post(self, send):
        begun = time.time()
        # Postfix asks the database who is a recipient: a stranger's mail waits at the stranger's server now.  This
        # one comes from the own network.
        queue_id, refusal = send(int(self.sandbox.env["SUBMISSION_PORT"]),
                                 MAIL.replace("\n", "\r\n").encode(), POSTER, ["support@example.test"])
        self.failures.expect("refusal", refusal, None)
        print(f"  {POSTER} posts to support@example.test: {queue_id}")
        notices = wait_for(self.notices, within_s=WITHIN_S)
        self.failures.expect("delay notices", len(notices), 1)
        for mail in notices:
            self.failures.expect("the notice's return path", mail["Return-Path"], "<>")
            self.failures.expect("the notice's Auto-Submitted", mail["Auto-Submitted"], "auto-replied")
            print(f"    the notice, {time.time() - begun:.1f} s after the mail (notify.delay_after = 3s)")
            print(f"        to       {mail['To']}\n        subject  {mail['Subject']}")
            for line in mail.get_body(["plain"]).get_content().strip().splitlines():
                print(f"        {line}")
        return queue_id

    def look(self, queue_id):
        self.show("status")
        self.show("trace", *self.sources(), queue_id)
        self.failures.expect("its state for mailctl trace", self.state(queue_id), ["waiting"])

    def sources(self):
        """Where the sandbox's logs and Postfix are."""
        return f"--log={self.sandbox.directory}/log/*.log", f"--postfix-config={self.sandbox.env['POSTFIX_CONFIG']}"

    def state(self, queue_id):
        traced = self.run("trace", "--json", *self.sources(), queue_id).stdout
        try:
            return [message["State"] for message in json.loads(traced)["Messages"]]
        except (json.JSONDecodeError, KeyError) as error:
            return f"{error!r}: {traced}"

    def end(self, queue_id):
        self.sandbox.server("up", "database")
        begun = time.time()
        print("\n  the database is back")
        rows = wait_for(self.rows, within_s=WITHIN_S)
        self.failures.expect("rows", rows, [{"subject": "Posted while the database was away",
                                             "text": "Is anybody there?\n"}])
        print(f"    stored {time.time() - begun:.1f} s later")
        self.failures.expect("its state for mailctl trace", self.state(queue_id), ["stored"])
        self.failures.expect("delay notices after all", len(self.notices()), 1)
        return len(rows)


def run(sandbox, failures, send):
    """How many rows came of it."""
    outage = Outage(sandbox, failures)
    outage.begin()
    queue_id = outage.post(send)
    outage.look(queue_id)
    return outage.end(queue_id)
