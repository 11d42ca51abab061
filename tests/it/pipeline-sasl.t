#!/bin/sh
# Who has logged in, by Postfix's real SASL (Cyrus, sasldb): told in the row, and believed about From. Whoever has not
# cannot say so.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 9
own_pipeline

mkdir "$POSTFIX_CONFIG/sasl" # where Debian's Postfix looks for it
cat > "$POSTFIX_CONFIG/sasl/smtpd.conf" << END
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN
sasldb_path: $TMP/sasldb
END
printf secret | /usr/sbin/saslpasswd2 -p -c -f "$TMP/sasldb" -u sandbox.test ann || die 'saslpasswd2'
chmod 644 "$TMP/sasldb"
cat >> "$CONFIG" << 'END'

[route posters]
recipients = posters@example.test
require = dmarc
END
"$BUILD/bin/mailctl" --config "$CONFIG" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
"$SANDBOX" halt "$SANDBOX_DIR" ingest
"$SANDBOX" up "$SANDBOX_DIR" ingest || die 'mailin-ingest does not start'
postconf -c "$POSTFIX_CONFIG" -e smtpd_sasl_auth_enable=yes smtpd_sasl_type=cyrus smtpd_sasl_path=smtpd smtpd_sasl_security_options=noanonymous
postfix_anew

# Each line of standard input is a session's commands after EHLO, separated by "|"; prints the code of the last one. A mail of
# that subject (the first word) follows if all of them were accepted.
cat > "$TMP/session" << 'END'
import smtplib
import sys

for line in sys.stdin:
    name, helo, *commands = line.rstrip("\n").split("|")
    smtp = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname=helo)
    smtp.ehlo()
    codes = [smtp.docmd(command)[0] for command in commands]
    if codes[-1] == 250 and commands[-1].startswith("RCPT"):
        codes.append(smtp.data(f"From: Boss <boss@bank.example>\r\nTo: posters@example.test\r\nSubject: {name}\r\n"
                               "X-SASL-Username: ann@sandbox.test\r\n\r\nHello\r\n")[0])
    print(name, *codes)
    smtp.close()
END
login() { printf '\0%s\0%s' "$1" "$2" | base64 -w0; }
mail='MAIL FROM:<boss@bank.example>|RCPT TO:<posters@example.test>'
cat > "$TMP/sessions" << END
login|client.test|AUTH PLAIN $(login ann@sandbox.test secret)|$mail
anonymous|client.test|$mail
helo|--sasl-username=ann|$mail
parameter|client.test|MAIL FROM:<boss@bank.example> AUTH=ann@sandbox.test|RCPT TO:<posters@example.test>
wrong|client.test|AUTH PLAIN $(login ann@sandbox.test Secret)|$mail
aborted|client.test|AUTH PLAIN|*|$mail
xclient|client.test|XCLIENT LOGIN=ann@sandbox.test
END
python3 "$TMP/session" "$SMTP_PORT" < "$TMP/sessions" > "$TMP/codes" || die 'SMTP'
code() { sed -n "s/^$1 //p" "$TMP/codes"; }
[ "$(code login)" = '235 250 250 250' ] || diag "$(grep -i sasl "$POSTFIX_LOG" | tail -n 5)"
is "$(code login)" '235 250 250 250' 'somebody logs in'
is "$(code wrong)" '535 250 250 250' 'a wrong password'
is "$(code aborted)" '334 501 250 250 250' 'a login that was broken off'
is "$(code xclient)" 550 'a client may not tell who it is'
like "$(code parameter)" '^(250|5)' 'the parameter AUTH of MAIL without a login'
accepted=$(grep -c ' 250$' "$TMP/codes")
settled() { [ "$(sql 'SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM quarantine)')" = "$accepted" ]; }
wait_for 60 settled || diag "$(tail -n 5 "$POSTFIX_LOG" "$SANDBOX_DIR/log/ingest.log")"
is "$(sql 'SELECT subject, sasl_username, verified, helo FROM messages' | tr '\t' ' ')" 'login ann@sandbox.test yes client.test' \
	'who has logged in is named, and believed'
is "$(sql "SELECT JSON_VALUE(verdicts, '\$.SaslUsername') FROM messages")" ann@sandbox.test 'among the verdicts, too'
is "$(sql "SELECT COUNT(*) FROM quarantine WHERE JSON_VALUE(verdicts, '\$.SaslUsername') = ''")" "$((accepted - 1))" \
	'nobody else is'
is "$(sql "SELECT CONCAT(JSON_VALUE(CONVERT(document USING utf8mb4), '\$.Mailpipe.Envelope.Helo'), ' ',
	JSON_VALUE(CONVERT(document USING utf8mb4), '\$.Mailpipe.Envelope.SaslUsername')) FROM quarantine WHERE subject = 'helo'")" \
	'--sasl-username=ann ' 'not by a name that looks like an option'
