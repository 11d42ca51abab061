#!/bin/sh
# Postfix is killed (-9) between mailin's success and its own record of it: stored once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 3
own_pipeline
mailin=$SANDBOX_DIR/usr/sbin/mailin
mv "$mailin" "$mailin.real"
# Publishes at once, and never comes back.
cat > "$mailin" <<END
#!/bin/sh
"$mailin.real" "\$@"
exec sleep 60
END
chmod 755 "$mailin"
id=$(send --subject "$TAG" support@example.test)
ok 'stored while Postfix waits' rows_become 1 "queue_id = '$id'"
"$SANDBOX" kill "$SANDBOX_DIR" postfix
mv "$mailin.real" "$mailin"
"$SANDBOX" up "$SANDBOX_DIR" postfix
ok 'delivered again after the restart' wait_for 30 is_sent "$id"
sleep 1
is "$(count_rows "queue_id = '$id'")" 1 'stored once'
