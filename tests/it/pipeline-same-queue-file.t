#!/bin/sh
# The same queue file delivered again, because Postfix did not learn of the success, is stored once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 5
own_pipeline
mailin=$SANDBOX_DIR/usr/sbin/mailin
mv "$mailin" "$mailin.real"
mkdir -m 777 "$SANDBOX_DIR/again"
# Publishes, and then says that it did not, twice.
cat > "$mailin" <<END
#!/bin/sh
"$mailin.real" "\$@" || exit
runs=\$(ls "$SANDBOX_DIR/again" | wc -l)
: > "$SANDBOX_DIR/again/\$runs"
[ "\$runs" -ge 2 ] || { echo '4.3.0 pretended'; exit 75; }
END
chmod 755 "$mailin"
id=$(send --subject "$TAG" support@example.test)
ok 'delivered in the end' wait_for 30 is_sent "$id"
is "$(find "$SANDBOX_DIR/again" -type f | wc -l)" 3 'published three times'
ok 'stored' rows_become 1 "queue_id = '$id'"
is "$(sql "SELECT COUNT(*), COUNT(DISTINCT id) FROM messages WHERE queue_id = '$id'")" '1	1' 'once'
is "$(waiting mail.dead)" 0 'nothing is dead'
