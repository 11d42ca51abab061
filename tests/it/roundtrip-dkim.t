#!/bin/sh
# Signed mail by SMTP through Postfix with a real milter, opendkim: what it finds out becomes the row's verdicts, and what a
# client writes in its place, by a field of its own or by the signature that opendkim copies from, does not.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
own_pipeline

openssl genrsa -out "$TMP/key" 2048 2> "$TMP/openssl.log" || die "$(cat "$TMP/openssl.log")"
public=$(openssl rsa -in "$TMP/key" -pubout -outform DER 2> "$TMP/openssl.log" | base64 -w0)
for domain in shop.example evil.example; do
	echo "sel._domainkey.$domain v=DKIM1; k=rsa; p=$public"
done > "$TMP/keys"
cat > "$TMP/opendkim.conf" << END
Mode v
Socket local:$TMP/milter
UMask 000
AuthservID mx.example.test
TestPublicKeys $TMP/keys
InternalHosts /dev/null
Syslog no
Background no
END
/usr/sbin/opendkim -f -x "$TMP/opendkim.conf" > "$TMP/opendkim.log" 2>&1 &
milter=$!
at_exit "kill $milter 2> /dev/null; wait $milter"
wait_for 30 test -S "$TMP/milter" || die "opendkim: $(cat "$TMP/opendkim.log")"
sed -i -e 's/^\[mailpipe\]/&\nauthserv_ids = mx.example.test/' \
	-e '$a [route vouched]\nrecipients = vouched@example.test\nrequire = spf-or-dkim' "$CONFIG"
"$BUILD/bin/mailctl" --config "$CONFIG" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
"$SANDBOX" halt "$SANDBOX_DIR" ingest
"$SANDBOX" up "$SANDBOX_DIR" ingest || die 'mailin-ingest does not start'
# What policy services prepend is above Postfix's own Received, too.
postconf -c "$POSTFIX_CONFIG" -e "smtpd_milters = unix:$TMP/milter" milter_default_action=tempfail \
	'smtpd_sender_restrictions = check_sender_access inline:{{spf@shop.example=PREPEND Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=shop.example}}'
postfix_anew

# mail NAME FROM: of that subject; further header fields are on standard input.
mail() {
	cat - << END
From: Ann <$2>
To: vouched@example.test
Subject: $1
Date: Sun, 22 Nov 2026 12:00:00 +0000
Message-ID: <$1@test>

Hello
END
}
# give SENDER [SED-SCRIPT]: the mail on standard input goes to Postfix.
give() {
	sed -e "${2-}" -e 's/$/\r/' > "$TMP/mail"
	send --file "$TMP/mail" --from "$1" vouched@example.test > "$TMP/id" || die "SMTP: $(cat "$TMP/id")"
}
sign() { "$TREE/tests/lib/dkim-sign" "$TMP/key" "$@" || die 'dkim-sign'; }
forge() { sed "1i Authentication-Results: $1"; }

mail signed ann@shop.example | sign shop.example sel | give x@shop.example
mail below ann@mail.shop.example | sign shop.example sel ' i=@mail.shop.example;' | give x@shop.example
mail prepended ann@shop.example | give spf@shop.example
mail body ann@shop.example | sign shop.example sel | give x@shop.example 's/^Hello/Hullo/'
mail header ann@shop.example | sign shop.example sel | give x@shop.example 's/^From: Ann/From: Anne/'
mail other ann@shop.example | sign evil.example sel | give x@evil.example
mail unsigned ann@shop.example | give x@shop.example
mail two-froms ann@shop.example | sign shop.example sel | give x@shop.example '/^From:/i From: Bob <bob@bank.example>'
# opendkim removes the first of these, for it has a result of DKIM; not the others.
forged='forged forged-dmarc forged-spf forged-version forged-unknown forged-comment forged-blank'
mail forged ann@bank.example | forge 'mx.example.test; dkim=pass header.d=bank.example' | give x@evil.example
mail forged-dmarc ann@bank.example | forge 'mx.example.test; dmarc=pass header.from=bank.example' | give x@evil.example
mail forged-spf ann@bank.example | forge 'mx.example.test; spf=pass smtp.mailfrom=bank.example' | give x@evil.example
mail forged-version ann@bank.example | forge 'mx.example.test; dkim/1=pass header.d=bank.example' | give x@evil.example
mail forged-unknown ann@bank.example | forge 'mx.example.test; dkim=pass header.d=bank.example; x-a=b c.d=e' | give x@evil.example
mail forged-comment ann@bank.example | forge '(a) "MX.example.test" 1; dmarc=pass header.from=bank.example' | give x@evil.example
mail forged-blank ann@bank.example | sed '1i Authentication-Results : mx.example.test; dmarc=pass header.from=bank.example' | give x@evil.example
# Its own signature is genuine; opendkim decodes the identity into its field.
mail injected ann@bank.example |
	sign evil.example sel ' i=a=3B=20dkim=3Dpass=20header.d=3Dbank.example=20header.i=3D@evil.example;' | give x@evil.example

settled() { [ "$(sql 'SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM quarantine)')" = 16 ]; }
wait_for 60 settled || diag "$(tail -n 5 "$POSTFIX_LOG" "$SANDBOX_DIR/log/ingest.log")"
verdicts() { sql "SELECT verdicts FROM $1 WHERE subject = '$2'" | jq -c '[.SPF, .DKIM, .DMARC, .AuthservID, .Aligned.SPF, .Aligned.DKIM]'; }
is "$(sql 'SELECT subject, verified FROM messages ORDER BY subject' | tr '\t' ' ')" 'below yes
prepended yes
signed yes' 'what the domain in From has signed is stored'
is "$(verdicts messages signed)" '["","pass","","mx.example.test",false,true]' 'signed by the domain in From'
is "$(verdicts messages below)" '["","pass","","mx.example.test",false,true]' 'by the organisation'
is "$(verdicts messages prepended)" '["pass","","","mx.example.test",true,false]' 'what a policy service prepends is believed'
is "$(verdicts quarantine body)" '["","fail","","mx.example.test",false,false]' 'a body that was changed'
is "$(verdicts quarantine header)" '["","fail","","mx.example.test",false,false]' 'a From that was changed'
is "$(verdicts quarantine other)" '["","pass","","mx.example.test",false,false]' 'signed by another domain'
is "$(verdicts quarantine unsigned)" '["","","","",false,false]' 'not signed'
is "$(verdicts quarantine two-froms | cut -d, -f6)" 'false]' 'a second From above the one that is signed'
defects() { sql "SELECT JSON_EXTRACT(CONVERT(document USING utf8mb4), '\$.Mailpipe.Defects') FROM quarantine WHERE subject = '$1'"; }
for name in $forged; do
	is "$(verdicts quarantine "$name")" '["","","","",false,false]' "$name: a field that the client wrote is not believed"
done
is "$(defects forged-dmarc)" '["authentication results from outside"]' 'and the document says so'
like "$(sql "SELECT CONVERT(document USING utf8mb4) FROM quarantine WHERE subject = 'injected'")" 'header\.i=a; dkim=pass header\.d=bank\.example' \
	'opendkim writes what the signer wants it to write'
is "$(verdicts quarantine injected)" '["","","","",false,false]' 'of which nothing is believed'
is "$(defects injected)" "[\"signer's identity made for forging results\"]" 'and the document says so'
done_testing
