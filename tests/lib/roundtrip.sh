# shellcheck shell=sh disable=SC2154
# For tests of the way out and back in: after pipeline.sh and use_pipeline.
#
# A request goes to a stream; what it asks for is sent by mailout through the sandbox's Postfix, whose pipe
# gives it to mailin; and what then is in the database is compared with what was asked for.

# came RECIPIENT: waits for the row of the mail with $id that this envelope recipient got.
came() { rows_become 1 "message_id_header LIKE '$id@%' AND recipient = '$1'"; }

# row RECIPIENT: the mail's columns and attachments as one JSON object.
row() {
	sql "SELECT JSON_OBJECT('recipient', recipient, 'route', route, 'mailbox_hash', mailbox_hash, 'sender', sender,
		'message_id', message_id_header, 'in_reply_to', JSON_EXTRACT(in_reply_to, '\$'),
		'references', JSON_EXTRACT(reference_ids, '\$'), 'from_email', from_email, 'from_name', from_name,
		'to', JSON_EXTRACT(to_json, '\$'), 'cc', JSON_EXTRACT(cc_json, '\$'), 'bcc', JSON_EXTRACT(bcc_json, '\$'),
		'reply_to', reply_to, 'subject', subject, 'text', text_body, 'html', html_body,
		'headers', JSON_EXTRACT(headers, '\$'), 'auto', auto, 'defects', JSON_EXTRACT(defects, '\$'),
		'age', TIMESTAMPDIFF(SECOND, date_utc, received_at))
		FROM messages WHERE message_id_header LIKE '$id@%' AND recipient = '$1'"
}

attachments() {
	sql "SELECT a.name, a.content_type, a.disposition, COALESCE(a.content_id, '-'), LENGTH(b.data), SHA2(b.data, 256)
		FROM attachments a JOIN messages m ON m.id = a.message_id JOIN blobs b ON b.sha256 = a.sha256
		WHERE m.message_id_header LIKE '$id@%' AND m.recipient = '$1' ORDER BY a.position"
}

# field JQ-EXPRESSION: of $TMP/row
field() { jq -cS "$1" "$TMP/row"; }
