#!/usr/bin/python3
"""Have a mail sent, from Python (Debian: python3-pika).

usage: send.py amqp://USER:PASSWORD@HOST:PORT/VHOST RECIPIENT [STREAM]
"""
import json
import sys
import uuid

import pika

url, recipient = sys.argv[1:3]
stream = sys.argv[3] if len(sys.argv) > 3 else "transactional"
request = {
    "MessageID": str(uuid.uuid4()),     # the same id is never sent twice, so repeating is safe
    "From": "Shop <shop@example.test>",
    "To": recipient,
    "Subject": "Your order 4711 – thank you",
    "TextBody": "Hello,\n\nit is on its way: 2 prints, 17.50 €.\n",
    "HtmlBody": "<p>Hello,</p><p>it is on its way: <b>2 prints</b>, 17.50 €.</p>",
    "Tag": "order",
    "Metadata": {"order": "4711"},
}
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.confirm_delivery()              # basic_publish() raises an error unless the broker has it safe
channel.basic_publish(
    exchange="mail.out", routing_key=stream, mandatory=True, body=json.dumps(request),
    properties=pika.BasicProperties(content_type="application/json", delivery_mode=2,
                                    message_id=request["MessageID"]))
connection.close()
print(request["MessageID"])
