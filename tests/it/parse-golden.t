#!/usr/bin/python3
# Each tests/corpus/NAME.eml becomes exactly NAME.json.
#
# With --update the JSON files are written anew: look at the difference before you believe it.
import json
import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARSER = os.path.join(TOP, os.environ.get("BUILD", "build"), "libexec/mailpipe/mailin-parse")
CORPUS = os.path.join(TOP, "tests/corpus")
JOB_FD = 3

JOB = {
    "Document": {
        "MessageID": "00000000-0000-8000-8000-000000000001",
        "MessageStream": "golden",
        "OriginalRecipient": "support@example.com",
        "MailboxHash": "",
        "Mailpipe": {
            "Version": 1,
            "Envelope": {"Sender": "ann@example.net", "Recipient": "support@example.com"},
            "Defects": [],
        },
    },
    "Limits": {
        "message_size": 50 << 20,
        "deadline": 60000,
        "parse_cpu": 1800,
        "parse_wall": 20000,
        "parse_memory": 512 << 20,
        "header_bytes": 512 << 10,
        "headers": 1000,
        "parts": 1000,
        "depth": 50,
        "attachments": 500,
        "addresses": 1000,
        "filename_bytes": 200,
        "image_pixels": 250000000,
        "archive_entries": 1000,
        "archive_bytes": 32 << 20,
        "body_bytes": 4 << 20,
    },
    "Raw": "defect",
    "AuthservIDs": ["mx.example.com"], "AuthservHops": 1, "Loop": "mailpipe/golden",
}


def job_of(name):
    job = json.loads(json.dumps(JOB))
    if name == "bounce":
        job["Document"]["Mailpipe"]["Envelope"]["Sender"] = ""
    return json.dumps(job).encode()


def parse(name):
    with open(os.path.join(CORPUS, name + ".eml"), "rb") as mail, tempfile.TemporaryFile() as job:
        job.write(job_of(name))
        job.seek(0)

        def give_job():
            os.dup2(job.fileno(), JOB_FD)
            os.set_inheritable(JOB_FD, True)

        done = subprocess.run([PARSER], stdin=mail, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              preexec_fn=give_job, close_fds=False, check=False)
    if done.returncode != 0 or done.stderr:
        return "exit %d %r\n" % (done.returncode, done.stderr)
    return json.dumps(json.loads(done.stdout), ensure_ascii=False, indent=1) + "\n"


def main():
    names = sorted(name[:-4] for name in os.listdir(CORPUS) if name.endswith(".eml"))
    failed = 0
    print("1..%d" % len(names))
    for number, name in enumerate(names, 1):
        golden = os.path.join(CORPUS, name + ".json")
        got = parse(name)
        if "--update" in sys.argv:
            with open(golden, "w", encoding="utf-8") as file:
                file.write(got)
        with open(golden, encoding="utf-8") as file:
            wanted = file.read()
        print("%s %d - %s" % ("ok" if got == wanted else "not ok", number, name))
        if got != wanted:
            failed += 1
            with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
                file.write(got)
                file.flush()
                subprocess.run(["diff", "-u", golden, file.name], stdout=sys.stderr, check=False)
    sys.exit(1 if failed else 0)


main()
