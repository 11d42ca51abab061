#!/bin/sh
# What is wrong with the config is named with file, line and key, and the mail waits.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
printf 'Subject: x\n\nx\n' > "$TMP/mail"

# bad TEXT NAME < sections: the text without the file's name
bad() {
	cat > "$CONF"
	deliver < "$TMP/mail"
	is_result 75 "4.3.5 $CONF$1" "$2"
}
bad ':2: [amqp] nonsense: unknown key' 'an unknown key' <<END
[amqp]
nonsense = 1
END
bad ':2: [limits] message_size: "much" is no size' 'a bad value' <<END
[limits]
message_size = much
END
deliver_missing() { CONF=$TMP/none; deliver < "$TMP/mail"; }
deliver_missing
is_result 75 "4.3.5 $TMP/none: No such file or directory" 'no config'
CONF=$TMP/mailpipe.conf

write_config < /dev/null
rm "$TMP/password"
deliver < "$TMP/mail"
is_result 75 "4.3.5 amqp.publish_password_file: $TMP/password: No such file or directory" 'no password file'

# Not as root, who may read everything; nobody may not get to the build.
cp -r "$BUILD/sbin" "$BUILD/libexec" "$TMP"
chmod -R a+rX "$TMP"
chmod 0 "$CONF"
OUT=$(setpriv --reuid nobody --regid nogroup --clear-groups "$TMP/sbin/mailin" -c "$CONF" --queue-id "$QUEUE_ID" \
	--sender '' -- support@example.com < "$TMP/mail" 2> "$TMP/errors")
STATUS=$?
is_result 75 "4.3.5 $CONF: Permission denied" 'an unreadable config'
chmod 644 "$CONF"
write_config < /dev/null
chmod 0 "$TMP/password"
OUT=$(setpriv --reuid nobody --regid nogroup --clear-groups "$TMP/sbin/mailin" -c "$CONF" --queue-id "$QUEUE_ID" \
	--sender '' -- support@example.com < "$TMP/mail" 2> "$TMP/errors")
STATUS=$?
is_result 75 "4.3.5 amqp.publish_password_file: $TMP/password: Permission denied" 'an unreadable password file'
done_testing
