#!/usr/bin/python3
"""Post something without the database, and show what becomes of it.
(Debian: python3-pika, python3-redis, python3-pymysql)

usage: post.py AMQP-URL REDIS-URL DATABASE-URL ROUTE TEXT [SECONDS]

    amqp://mailpipe-application:PASSWORD@HOST/
    redis://HOST/0, or unix:///run/redis/redis.sock
    mysql://mailpipe-web:PASSWORD@HOST/mailpipe, or mysql://...@/mailpipe?unix_socket=PATH

A front end that takes a post publishes it and answers at once: the broker has it safe, and
mailin-ingest stores it, in a moment or when the database is back.  Until then its state is a key
in Redis (prefix "mailpipe:"), and later a row of the view message_states.
"""
import datetime
import json
import secrets
import sys
import time
import urllib.parse
import uuid

import pika
import pymysql
import redis

EXPIRY_S = 7 * 24 * 3600        # as redis.expiry
FINAL = ("stored", "failed")


def new_id():
    """A UUID whose order follows time (version 7): rows that come one after the other stay together."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return str(uuid.UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def document(message_id, route, text):
    """What mailin-ingest needs of an inbound document (mailpipe-wire(7)) that was no mail."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    return {
        "MessageID": message_id,
        "MessageStream": route,
        "OriginalRecipient": route + "@community.example",
        "FromFull": {"Email": "ann@example.net", "Name": "Ann Example"},
        "Subject": "A post",
        "TextBody": text,
        "HtmlBody": "",
        "Headers": [],
        "Attachments": [],
        "Mailpipe": {"Version": 1, "ReceivedAt": now, "Envelope": {"Sender": "ann@example.net"}},
    }


def publish(url, post):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()  # basic_publish() raises an error unless the broker has it safe
    channel.basic_publish(
        exchange="mail.in", routing_key=post["MessageStream"], mandatory=True, body=json.dumps(post),
        properties=pika.BasicProperties(content_type="application/json", delivery_mode=2,
                                        type="mailpipe.inbound.v1", timestamp=int(time.time()),
                                        message_id=post["MessageID"]))
    connection.close()


def remember(cache, post):
    """Before it is published: later it would take the place of what mailin-ingest says."""
    state = {"MessageID": post["MessageID"], "Direction": "inbound", "Status": "queued",
             "MessageStream": post["MessageStream"]}
    try:
        cache.set("mailpipe:" + post["MessageID"], json.dumps(state), ex=EXPIRY_S)
    except redis.RedisError:
        pass                    # Redis is a convenience: the post goes its way without it


def state_in_redis(cache, message_id):
    try:
        return json.loads(cache.get("mailpipe:" + message_id) or "{}")
    except redis.RedisError:
        return {}


def state_in_database(url, message_id):
    at = urllib.parse.urlsplit(url)
    options = dict(urllib.parse.parse_qsl(at.query))
    try:
        connection = pymysql.connect(host=at.hostname, port=at.port or 3306, user=at.username,
                                     password=urllib.parse.unquote(at.password or ""),
                                     database=at.path.lstrip("/"), connect_timeout=2, **options)
        with connection, connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute("SELECT status, attempts, next_attempt, reason FROM message_states WHERE id = %s",
                           (uuid.UUID(message_id).bytes,))
            return cursor.fetchone() or {}
    except pymysql.Error:
        return {}


def describe(state):
    text = state.get("Status", state.get("status", "not known"))
    next_attempt = state.get("NextAttempt", state.get("next_attempt"))
    reason = state.get("Reason", state.get("reason"))
    if reason:
        text += f": {reason}"
    if next_attempt:
        text += f"; next try at {next_attempt}"
    return text


def main():
    amqp_url, redis_url, database_url, route, text = sys.argv[1:6]
    until = time.monotonic() + float(sys.argv[6] if len(sys.argv) > 6 else 10)
    cache = redis.Redis.from_url(redis_url, socket_timeout=1)
    post = document(new_id(), route, text)
    message_id = post["MessageID"]
    print(message_id)
    remember(cache, post)
    publish(amqp_url, post)
    shown = ""
    while True:
        state = state_in_redis(cache, message_id)
        if describe(state) != shown:
            shown = describe(state)
            print(f"redis: {shown}", flush=True)
        if state.get("Status") in FINAL or time.monotonic() > until:
            break
        time.sleep(0.1)
    print(f"database: {describe(state_in_database(database_url, message_id))}")


main()
