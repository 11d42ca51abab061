#!/usr/bin/env python3
"""An SMTP server that keeps what it gets and fails as it is told.

usage: smtp-sink.py DIR [PORT]

DIR/port	written when it listens (on 127.0.0.1)
DIR/mails	a line for each message that was accepted: seconds, MAIL FROM, RCPT TOs, Message-ID, Subject
DIR/bodies	those messages whole, when that file is there already
DIR/mode	its content is read at each connection and message: "421" refuses all, "pause 0.5"
		answers each message so much later (DIR/held is there once one has come), "die" ends the server after the next message,
		before the answer, "known" accepts unknown@, too, "moody 451 4.2.0 text" answers
		RCPT TO:<moody@...> so

By recipient: tempfail@ is always 451, later@ only the first time, unknown@ 550, cut@ loses the
connection instead of the answer to the first message that has it.
"""

import asyncio
import os
import re
import sys
import time

directory = sys.argv[1]
seen = set()


def path(name):
    return os.path.join(directory, name)


def mode():
    try:
        with open(path("mode"), encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def first_time(what):
    if what in seen:
        return False
    seen.add(what)
    return True


def field(name, message):
    match = re.search(rb"(?im)^" + name + rb":[ \t]*(.*?)\r?$", message.split(b"\r\n\r\n")[0])
    return match.group(1).decode("utf-8", "replace") if match else "-"


def keep(sender, recipients, message):
    # Whoever has seen the line of a message finds its body.
    if os.path.exists(path("bodies")):
        with open(path("bodies"), "ab") as file:
            file.write(message + b"\r\n")
    with open(path("mails"), "a", encoding="utf-8") as file:
        file.write("\t".join([f"{time.time():.3f}", sender, ",".join(recipients),
                              field(b"Message-ID", message), field(b"Subject", message)]) + "\n")


def rcpt_answer(recipient, message_key):
    local = recipient.split("@")[0]
    if local == "tempfail" or local == "later" and first_time(("later", message_key, recipient)):
        return "451 4.2.1 mailbox is busy"
    if local == "unknown" and mode() != "known":
        return "550 5.1.1 there is nobody of that name"
    if local == "moody" and mode().startswith("moody "):
        return mode()[len("moody "):]
    return "250 2.1.5 recipient ok"


async def read_message(reader):
    lines = []
    while True:
        line = await reader.readline()
        if line in (b".\r\n", b""):
            return b"".join(lines), line != b""
        lines.append(line[1:] if line.startswith(b".") else line)


async def take_message(reader, sender, recipients):
    """The answer, or None: the connection is to be lost."""
    message, whole = await read_message(reader)
    if not whole:
        return None
    word = mode()
    if word == "die":
        os._exit(0)
    if word.startswith("pause"):
        open(path("held"), "w", encoding="ascii").close()
        await asyncio.sleep(float(word.split()[1]))
    keep(sender, recipients, message)
    key = field(b"Message-ID", message)
    if any(r.startswith("cut@") for r in recipients) and first_time(("cut", key)):
        return None
    return "250 2.0.0 queued as TEST"


async def session(reader, writer):
    def say(text):
        writer.write(text.encode() + b"\r\n")

    sender, recipients = "", []
    if mode() == "421":
        say("421 4.3.2 not now")
        await writer.drain()
        writer.close()
        return
    say("220 sink.test ESMTP")
    while True:
        await writer.drain()
        line = (await reader.readline()).decode("utf-8", "replace").strip()
        verb = line[:4].upper()
        address = re.search(r"<(.*?)>", line)
        if verb == "EHLO":
            say("250-sink.test\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES")
        elif verb == "HELO":
            say("250 sink.test")
        elif verb == "MAIL" and mode() == "421":
            say("421 4.3.2 not now")
            break
        elif verb == "MAIL":
            sender, recipients = address.group(1) if address else "", []
            say("250 2.1.0 sender ok")
        elif verb == "RCPT":
            answer = rcpt_answer(address.group(1), sender)
            if answer.startswith("250"):
                recipients.append(address.group(1))
            say(answer)
        elif verb == "DATA":
            if not recipients:
                say("554 5.5.1 no valid recipients")
                continue
            say("354 go on")
            await writer.drain()
            answer = await take_message(reader, sender, recipients)
            if answer is None:
                break
            say(answer)
        elif verb in ("RSET", "NOOP"):
            say("250 2.0.0 ok")
        elif verb == "QUIT":
            say("221 2.0.0 bye")
            break
        elif not line:
            break
        else:
            say("502 5.5.2 what?")
    await writer.drain()
    writer.close()


async def guarded(reader, writer):
    try:
        await session(reader, writer)
    except (ConnectionError, asyncio.CancelledError):
        pass


async def main():
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = await asyncio.start_server(guarded, "127.0.0.1", port, backlog=100)
    open(path("mails"), "a", encoding="ascii").close()
    with open(path("port.new"), "w", encoding="ascii") as file:
        file.write(f"{server.sockets[0].getsockname()[1]}\n")
    os.rename(path("port.new"), path("port"))
    await server.serve_forever()


asyncio.run(main())
