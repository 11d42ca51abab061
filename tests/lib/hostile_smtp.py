#!/usr/bin/env python3
"""An SMTP server that does what a test tells it, right or wrong.

usage: hostile_smtp.py DIR [--ehlo KEYWORD ...] [--tls CERT KEY] [--login USER PASSWORD] [--address ADDRESS]
                       [--buffer BYTES] [--at RULE ...]

It listens on a free port of ADDRESS (127.0.0.1), which it writes to DIR/port.  DIR/log gets one line per event, numbered
by connection: "1 connect", "1 > MAIL FROM:<..>", "1 closed"; DIR/CONNECTION-MESSAGE.msg each message as it came over the
wire, dots and all, without the final one.

A rule is [CONNECTION/]STAGE[#COUNT]=ACTION: at that stage (of that connection, the COUNTth time it is reached there) do
the action instead of the usual reply.  Stages: connect, ehlo, helo, starttls, auth, auth2, mail, rcpt, rcpt:ADDRESS,
data, body (its first bytes have come), dot, rset, quit.  Actions:

    reply TEXT        that reply; \\r\\n and the like are escapes, the last line end is added
    then-close TEXT   that reply, and close
    raw TEXT          those bytes
    close             close
    reset             close with a RST
    silent            say nothing any more, leave the connection open
    wait SECONDS      and go on as usual
    drip SECONDS      the usual reply, a byte at a time
    flood TEXT        send that again and again until the client goes
"""
import argparse
import base64
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time


class Gone(Exception):
    """The connection is over."""


class Session:
    def __init__(self, server, sock, number):
        self.server = server
        self.sock = sock
        self.number = number
        self.buffer = b""
        self.counts = {}
        self.messages = 0
        self.recipients = []
        self.encrypted = False

    def log(self, text):
        self.server.log(f"{self.number} {text}")

    # ---- bytes ----

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError, OSError) as error:
            raise Gone from error
        if not data:
            raise Gone
        self.buffer += data

    def line(self):
        while b"\n" not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b"\n", 1)
        text = line.rstrip(b"\r").decode("latin-1")
        self.log("> " + text)
        return text

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def drip(self, data, seconds):
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(seconds)

    # ---- rules ----

    def rule(self, stage):
        """The action for a stage, or None."""
        count = self.counts.get(stage, 0) + 1
        self.counts[stage] = count
        for connection, at, nth, action in self.server.rules:
            if at == stage and connection in (None, self.number) and nth in (None, count):
                return action
        return None

    def at(self, stage, usual, *more):
        """Reply.  True if it was the usual reply; False if it was another one."""
        action = None
        for name in (*more, stage):
            action = self.rule(name) or action
        verb, _, text = (action or "").partition(" ")
        data = text.encode("latin-1").decode("unicode_escape").encode("latin-1")
        if verb == "reply":
            self.send(data + b"\r\n")
        elif verb == "then-close":
            self.send(data + b"\r\n")
            raise Gone
        elif verb == "raw":
            self.send(data)
        elif verb == "close":
            raise Gone
        elif verb == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Gone
        elif verb == "silent":
            self.swallow()
        elif verb == "flood":
            while True:
                self.send(data)
        elif verb == "drip":
            self.drip(usual.encode() + b"\r\n", float(text))
            return True
        else:
            if verb == "wait":
                time.sleep(float(text))
            self.send(usual.encode() + b"\r\n")
            return True
        return False

    def swallow(self):
        self.log("silent")
        while True:
            self.buffer = b""
            self.fill()

    # ---- the protocol ----

    def run(self):
        self.log("connect")
        self.at("connect", "220 hostile.test ESMTP")
        while True:
            line = self.line()
            verb = line.split(" ", 1)[0].lower()
            command = getattr(self, "do_" + verb, None)
            if command is None:
                self.send(b"502 5.5.2 what?\r\n")
            else:
                command(line)

    def do_ehlo(self, line):
        keywords = ["hostile.test"] + self.server.options.ehlo
        if self.encrypted:
            keywords = [k for k in keywords if k != "STARTTLS"]
        self.at("ehlo", "\r\n".join(f"250{'-' if i + 1 < len(keywords) else ' '}{k}" for i, k in enumerate(keywords)))

    def do_helo(self, line):
        self.at("helo", "250 hostile.test")

    def do_starttls(self, line):
        if not self.at("starttls", "220 2.0.0 go ahead"):
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server.options.tls)
        context.sni_callback = lambda sock, name, ctx: self.log(f"sni {name}")
        try:
            self.sock = context.wrap_socket(self.sock, server_side=True)
        except (ssl.SSLError, OSError) as error:
            self.log(f"handshake failed: {getattr(error, 'reason', error)}")
            raise Gone from error
        self.log("encrypted")
        self.encrypted = True
        self.buffer = b""

    def do_auth(self, line):
        words = line.split()
        user, password = self.server.options.login or ("", "")
        if words[1].upper() == "PLAIN":
            good = base64.b64decode(words[2]) == f"\0{user}\0{password}".encode()
        elif words[1].upper() == "LOGIN":
            got = [words[2]] if len(words) > 2 else []
            for prompt in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6")[len(got):]:
                self.at("auth2", "334 " + prompt)
                got.append(self.line())
            good = [base64.b64decode(g).decode() for g in got] == [user, password]
        else:
            self.send(b"504 5.5.4 unknown mechanism\r\n")
            return
        self.at("auth", "235 2.7.0 welcome" if good else "535 5.7.8 authentication credentials invalid")

    def do_mail(self, line):
        self.recipients = []
        self.at("mail", "250 2.1.0 sender ok")

    def do_rcpt(self, line):
        address = line.partition("<")[2].rpartition(">")[0]
        if self.at("rcpt", "250 2.1.5 recipient ok", "rcpt:" + address):
            self.recipients.append(address)

    def do_data(self, line):
        if not self.at("data", "354 go ahead"):
            return
        while not self.buffer:
            self.fill()
        if self.rule("body") is not None:
            self.counts["body"] -= 1
            self.at("body", "")
        while not (self.buffer.startswith(b".\r\n") or b"\r\n.\r\n" in self.buffer):
            self.fill()
        if self.buffer.startswith(b".\r\n"):
            body, self.buffer = b"", self.buffer[3:]
        else:
            body, _, self.buffer = self.buffer.partition(b"\r\n.\r\n")
            body += b"\r\n"
        self.messages += 1
        self.log(f"message {self.messages} {len(body)}")
        with open(f"{self.server.options.dir}/{self.number}-{self.messages}.msg", "wb") as file:
            file.write(body)
        self.at("dot", f"250 2.0.0 queued as {self.number}-{self.messages}")

    def do_bdat(self, line):
        self.log("BDAT was used")
        raise Gone

    def do_rset(self, line):
        self.at("rset", "250 2.0.0 ok")

    def do_quit(self, line):
        self.at("quit", "221 2.0.0 bye")
        raise Gone


class Server:
    def __init__(self, options):
        self.options = options
        self.rules = [self.parse(rule) for rule in options.at]
        self.lock = threading.Lock()
        self.file = open(f"{options.dir}/log", "a", encoding="latin-1", buffering=1)

    @staticmethod
    def parse(rule):
        match = re.fullmatch(r"(?:(\d+)/)?([^#=]+?)(?:#(\d+))?=(.*)", rule, re.S)
        if match is None:
            sys.exit(f"not a rule: {rule}")
        connection, stage, count, action = match.groups()
        return (int(connection) if connection else None, stage, int(count) if count else None, action)

    def log(self, text):
        with self.lock:
            self.file.write(text + "\n")

    def serve(self, sock, number):
        session = Session(self, sock, number)
        try:
            session.run()
        except Gone:
            pass
        session.log("closed")
        try:
            session.sock.close()
        except OSError:
            pass

    def run(self):
        family = socket.AF_INET6 if ":" in self.options.address else socket.AF_INET
        listener = socket.socket(family)
        if self.options.buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.options.buffer)
        listener.bind((self.options.address, 0))
        listener.listen(50)
        port = f"{self.options.dir}/port"
        with open(port + ".new", "w", encoding="ascii") as file:
            file.write(str(listener.getsockname()[1]))
        os.rename(port + ".new", port)
        number = 0
        while True:
            sock, _ = listener.accept()
            number += 1
            threading.Thread(target=self.serve, args=(sock, number), daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("--ehlo", nargs="*", default=["PIPELINING", "SIZE 50000000", "ENHANCEDSTATUSCODES", "8BITMIME"])
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--login", nargs=2)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--buffer", type=int)
    parser.add_argument("--at", action="append", default=[])
    Server(parser.parse_args()).run()


if __name__ == "__main__":
    main()
