"""A server that speaks just enough AMQP 0-9-1 to misbehave: for tests of common/broker.

usage: fake_amqp.py SCRIPT [ADDRESS]	prints its port, and serves one connection after another

It lets anyone in and answers every question.  What a consumer or a publisher then gets is the
script's: see SCRIPTS.
"""
import os
import socket
import struct
import sys
import time

METHOD, HEADER, BODY = 1, 2, 3
GO = "go"
END = b"\xce"


def short(text):
    return bytes([len(text)]) + text.encode()


def long(data):
    return struct.pack(">I", len(data)) + data


def frame(kind, payload, channel=1):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + END


def method(class_id, method_id, arguments=b"", channel=1):
    return frame(METHOD, struct.pack(">HH", class_id, method_id) + arguments, channel)


def deliver(tag="0", number=1):
    return method(60, 60, short(tag) + struct.pack(">QB", number, 0) + short("x") + short("k"))


def header(size):
    return frame(HEADER, struct.pack(">HHQH", 60, 0, size, 0))


def body(data):
    return frame(BODY, data)


def ack(number, multiple=0):
    return method(60, 80, struct.pack(">QB", number, multiple))


def nack(number):
    return method(60, 120, struct.pack(">QB", number, 0))


def returned(data):
    return (method(60, 50, struct.pack(">H", 312) + short("NO_ROUTE") + short("x") + short("k"))
            + header(len(data)) + body(data))


def channel_close(text):
    return method(20, 40, struct.pack(">H", 404) + short(text) + struct.pack(">HH", 60, 40))


def connection_close(text):
    return method(10, 50, struct.pack(">H", 541) + short(text) + struct.pack(">HH", 0, 0), 0)


# What is sent, and in between how long is waited (numbers, in seconds), or until the file $FAKE_GO is there (GO).
SCRIPTS = {
    # to a consumer
    "half-then-rest": [deliver(), header(10), body(b"01234"), GO, body(b"56789")],
    "frame-in-two": [deliver(), header(5), body(b"01234")[:7], GO, body(b"01234")[7:]],
    "half-then-gone": [deliver(), header(10), body(b"01234"), None],
    "body-without-header": [deliver(), body(b"01234")],
    "header-without-deliver": [header(5)],
    "body-too-long": [deliver(), header(4), body(b"01234")],
    "body-without-end": [deliver(), header(1 << 62)],
    "deliver-twice": [deliver(), deliver()],
    "unknown-consumer": [deliver("7")],
    "odd-consumer": [deliver("no number")],
    "wrong-frame-end": [body(b"01234")[:-1] + b"x"],
    "garbage": [b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9],
    "oversized-frame": [struct.pack(">BHI", BODY, 1, 1 << 30)],
    "unknown-method": [method(99, 99)],
    "channel-closed-halfway": [deliver(), header(10), body(b"01234"), channel_close("NOT_FOUND - half")],
    "connection-closed": [connection_close("INTERNAL_ERROR - \x1b[31mred")],
    "blocked": [method(10, 60, short("low on disk"), 0), 0.2, deliver(), header(0), 0.2,
                method(10, 61, b"", 0), deliver("0", 2), header(0)],
    "many-at-once": [b"".join(deliver("0", n) + header(3) + body(b"abc") for n in range(1, 2001))],
    "byte-by-byte": [x for byte in deliver() + header(3) + body(b"abc") for x in (bytes([byte]), 0.001)],
    # to a publisher
    "ack": [ack(1), ack(2)],
    "ack-multiple": [ack(1, 1)],
    "nack": [nack(1)],
    "returned-then-ack": [returned(b"hello"), ack(1)],
    "ack-for-another": [ack(0)],
    "closed-instead": [channel_close("ACCESS_REFUSED - no")],
    "silence": [],
}


class Connection:
    def __init__(self, sock):
        self.sock = sock

    def take(self, size):
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def next_frame(self):
        kind, channel, size = struct.unpack(">BHI", self.take(7))
        return kind, channel, self.take(size + 1)[:-1]

    def next_method(self):
        while True:
            kind, _, payload = self.next_frame()
            if kind == METHOD:
                return struct.unpack(">HH", payload[:4])

    def play(self, script):
        for step in script:
            if step is None:
                raise EOFError
            while step == GO and not os.path.exists(os.environ["FAKE_GO"]):
                time.sleep(0.01)
            if step == GO:
                continue
            if isinstance(step, float):
                time.sleep(step)
            else:
                self.sock.sendall(step)

    def serve(self, script):
        self.take(8)
        self.sock.sendall(method(10, 10, b"\0\x09" + long(b"") + long(b"PLAIN") + long(b"en_US"), 0))
        answers = {
            (10, 11): method(10, 30, struct.pack(">HIH", 2047, 131072, 0), 0),
            (10, 40): method(10, 41, short(""), 0),
            (10, 50): method(10, 51, b"", 0),
            (20, 10): method(20, 11, long(b"")),
            (60, 10): method(60, 11),
            (60, 20): method(60, 21, short("0")),
            (85, 10): method(85, 11),
        }
        while True:
            asked = self.next_method()
            if asked in answers:
                self.sock.sendall(answers[asked])
            if asked in ((60, 20), (60, 40)):
                self.play(script)


def main():
    address = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.bind((address, 0))
    listener.listen(8)
    print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            Connection(sock).serve(SCRIPTS[sys.argv[1]])
        except (EOFError, OSError):
            pass
        sock.close()


main()
