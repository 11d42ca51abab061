#!/bin/sh
# check-corpus finds what must not be: with a mailin that errs on purpose.
. "$(dirname "$0")/../lib/tap.sh"
plan 12

mkdir -p "$TMP/build/sbin" "$TMP/corpus"
cat > "$TMP/build/sbin/mailin" << 'PYTHON'
#!/usr/bin/python3
import base64, hashlib, json, os, signal, sys
mail = sys.stdin.buffer.read()
name = mail.split(b"\n")[0].decode()
file = {"Name": "a.bin", "ContentType": "a/b", "ContentLength": 4, "ContentID": "",
        "Content": base64.b64encode(b"file").decode(), "Sha256": hashlib.sha256(b"file").hexdigest(),
        "DetectedType": "a/b", "Disposition": "attachment"}
person = {"Email": "", "Name": "", "MailboxHash": ""}
document = {"MessageID": "00000000-0000-8000-8000-000000000000", "Attachments": [file], "Headers": [],
            "FromFull": person, "ToFull": [], "CcFull": [], "BccFull": []}
for key in "MessageStream OriginalRecipient MailboxHash From FromName To Cc Bcc ReplyTo Subject Date TextBody HtmlBody StrippedTextReply".split():
    document[key] = ""
document["Mailpipe"] = {"Version": 1, "ReceivedAt": "2024-01-01T00:00:00Z", "MessageIDHeader": "", "InReplyTo": [],
    "References": [], "DateUTC": None, "Auto": "no", "StrippedQuote": "", "ReplyRule": "", "Defects": [],
    "Verdicts": {"SPF": "none", "DKIM": "none", "DMARC": "none", "ARC": "none", "AuthservID": "",
        "Aligned": {"SPF": False, "DKIM": False}, "SaslUsername": ""},
    "Envelope": {key: "" for key in "Sender Recipient QueueID ClientAddress ClientName Helo SaslUsername".split()}}
document["Mailpipe"]["Envelope"]["Size"] = 0
if name == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
elif name == "temporary":
    sys.exit(75)
elif name == "killed":
    document["Mailpipe"]["Defects"] = ["parser killed by SIGSEGV"]
elif name == "lacks":
    del document["Subject"]
elif name == "type":
    document["Subject"] = 1
elif name == "length":
    file["ContentLength"] = 5
elif name == "path":
    file["Name"] = "../a.bin"
elif name == "memory":
    x = bytearray(600 << 20)
text = json.dumps(document, ensure_ascii=False).encode()
if name == "surrogate":
    text = text.replace(b'"Subject": ""', b'"Subject": "\\ud800"')
elif name == "twice":
    text = text.replace(b'"Subject": ""', b'"Subject": "", "Subject": ""')
elif name == "utf8":
    text = text.replace(b'"Subject": ""', b'"Subject": "\xff"')
sys.stdout.buffer.write(text)
PYTHON
chmod +x "$TMP/build/sbin/mailin"
for what in good crash temporary killed lacks type length path memory surrogate twice utf8; do
	echo "$what" > "$TMP/corpus/$what.eml"
done
out=$(BUILD=$TMP/build "$TREE/tests/corpus-check/check-corpus" "$TMP/corpus")
is $? 1 'it exits with 1'
like "$out" '^12 mails \(0 with expectations\), 11 findings' 'eleven of twelve are wrong'
like "$out" '^crash.eml: exit -11' 'a crash'
like "$out" '^temporary.eml: exit 75' 'an exit code'
like "$out" '^killed.eml: fallback document: parser killed by SIGSEGV' 'a killed parser'
like "$out" '^lacks.eml: document lacks Subject' 'a missing member'
like "$out" '^type.eml: document.Subject is no str' 'a wrong type'
like "$out" '^length.eml: attachment 1: ContentLength 5 of 4 bytes' 'a wrong length'
like "$out" '^path.eml: attachment 1: the name .* has a character that no file name has' 'a path'
like "$out" '^memory.eml: 6[0-9][0-9] MB of memory' 'too much memory'
is "$(echo "$out" | grep -c ': no valid JSON')" 3 'a lone surrogate, a key that stands twice, bytes that are no UTF-8'
rm "$TMP"/corpus/[!g]*.eml
BUILD=$TMP/build "$TREE/tests/corpus-check/check-corpus" "$TMP/corpus" > /dev/null
is $? 0 'a good document passes'
