"""The demo's third act: a web front end (examples/web) that only reads the database and publishes.

A question becomes a ticket, which is acknowledged, answered from its page and answered again by the customer; a photo
becomes a picture in the gallery.
"""
import email
import email.policy
import hashlib
import html
import re
import urllib.parse
import urllib.request
from pathlib import Path

from waiting import wait_for

HERE = Path(__file__).resolve().parent
CUSTOMER = "maya@customer.example.net"
SUBJECT = "Where is my order 4711?"
ANSWER = "Hello Maya,\n\nit left us this morning.\n\nJonas"
REPLY = "Thank you, it is here."


def mail(recipient, subject, text):
    # The demo's Postfix checks neither SPF nor DKIM: the field that such a filter adds is in the mail already.
    return (f"Authentication-Results: mx.example.test; spf=pass smtp.mailfrom={CUSTOMER}\r\n"
            f"From: Maya Lund <{CUSTOMER}>\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\n{text}\r\n").encode()


def text_of(markup):
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


class Web:
    def __init__(self, sandbox, failures, send):
        self.sandbox, self.failures, self.send = sandbox, failures, send
        self.site = f"http://127.0.0.1:{sandbox.env['WEB_PORT']}"
        self.seen = set()
        sandbox.server("up", "web")

    def get(self, path):
        with urllib.request.urlopen(self.site + path) as answer:
            return answer.read()

    def page(self, path):
        return self.get(path).decode()

    def post(self, content, recipient):
        queue_id, refusal = self.send(int(self.sandbox.env["SMTP_PORT"]), content, CUSTOMER, [recipient])
        self.failures.expect("refusal", refusal, None)
        return queue_id

    def new_mail(self, subject):
        """The mail to the customer that was not there before, with that in its subject."""
        for path in Path(self.sandbox.env["MAILBOX"]).glob("*"):
            got = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if path not in self.seen and got["X-Original-To"] == CUSTOMER and subject in got["Subject"]:
                self.seen.add(path)
                return got
        return None

    def arrived(self, what, subject):
        got = wait_for(lambda: self.new_mail(subject))
        self.failures.expect(f"{what} arrives", bool(got), True)
        if got:
            print(f"    {what}\n        subject  {got['Subject']}\n        reply to {got['Reply-To']}")
        return got

    def ticket(self):
        """(path, status) of the customer's ticket in the list."""
        found = re.search(rf'<a href="(/tickets/\d+)">(?:(?!</a>).)*{re.escape(html.escape(SUBJECT))}.*?'
                          r'<span class="status \w+">(\w+)<', self.page("/tickets"), re.S)
        return found.groups() if found else (None, None)

    def conversation(self, path):
        return [text_of(card) for card in re.findall(r"<article.*?<pre>(.*?)</pre>", self.page(path), re.S)]

    def question(self):
        queue_id = self.post(mail("desk@example.test", SUBJECT, "I ordered a lamp."), "desk@example.test")
        print(f"\n  {CUSTOMER} asks desk@example.test: {queue_id}")
        path, status = wait_for(self.ticket, lambda ticket: ticket[0])
        self.failures.expect("the ticket's status", status, "open")
        print(f"    the ticket  {self.site}{path}")
        self.arrived("the acknowledgement", "We have your message")
        return path

    def answer(self, path):
        form_id = re.search(r'name="id" value="([0-9a-f-]+)"', self.page(path)).group(1)
        data = urllib.parse.urlencode({"id": form_id, "text": ANSWER}).encode()
        # Twice, as by an impatient hand.
        for _ in range(2):
            request = urllib.request.Request(self.site + path, data, {"Origin": self.site})
            with urllib.request.urlopen(request) as page:
                self.failures.expect("the page after an answer", page.url, f"{self.site}{path}?sent={form_id}")
        print("\n  the ticket is answered from its page")
        got = self.arrived("the answer", SUBJECT)
        done = wait_for(lambda: self.ticket()[1] == "pending")
        self.failures.expect("the ticket waits for the customer", done, True)
        return got["Reply-To"] if got else "desk@example.test"

    def reply(self, path, address):
        quote = "".join(f"> {line}\r\n" for line in ANSWER.split("\n"))
        self.post(mail(address, f"Re: {SUBJECT}", f"{REPLY}\r\n\r\nOn Sun, 22 Nov 2026 at 12:00, Help desk wrote:\r\n{quote}"),
                  address)
        print("\n  the customer replies; all that is written in the ticket now:")
        texts = wait_for(lambda: self.conversation(path), lambda texts: len(texts) >= 3)
        self.failures.expect("the conversation", texts, ["I ordered a lamp.", ANSWER, REPLY])
        self.failures.expect("the ticket's status", self.ticket()[1], "open")
        for text in texts:
            print(f"        {' '.join(text.split())}")

    def photo(self):
        content = re.sub(rb"(?m)^To: .*$", b"To: gallery+summer@example.test",
                         (HERE / "photo-jpeg.eml").read_bytes(), count=1).replace(b"\n", b"\r\n")
        self.post(content, "gallery+summer@example.test")
        print("\n  a photo is posted to gallery+summer@example.test")
        found = wait_for(lambda: re.search(r'<figure><a href="(/files/[0-9a-f-]+)">.*?<b>(.*?)</b>',
                                                self.page("/gallery?album=summer"), re.S))
        self.failures.expect("a photo in the album", bool(found), True)
        if found:
            digest = hashlib.sha256(self.get(found.group(1))).hexdigest()
            self.failures.expect("its bytes", digest, hashlib.sha256((HERE / "media/photo.jpg").read_bytes()).hexdigest())
            print(f"    in the album  {self.site}/gallery?album=summer\n        title    {text_of(found.group(2))}"
                  f"\n        bytes    sha256={digest[:12]}")

    def one_answer(self):
        sent = self.sandbox.query("SELECT HEX(JSON_ARRAY(COUNT(*))) FROM ticket_messages WHERE direction = 'out'")
        self.failures.expect("answers that were sent", sent, [[1]])


def run(sandbox, failures, send):
    """How many rows came of it, and how many mails."""
    web = Web(sandbox, failures, send)
    path = web.question()
    if path:
        web.reply(path, web.answer(path))
    web.photo()
    web.one_answer()
    return 3, 2
