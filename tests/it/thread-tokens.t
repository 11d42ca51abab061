#!/bin/sh
# A token in the address leads to its thread, however mail programs change it; nothing else does.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/thread.sh"
plan 7
use_sandbox --only broker,database
thread_setup
ingest_set workers 1
ingest_start
token=abcdefghijklmnopqrstuvwx2a
other=7654327654327654327654327a
gone=zyxwvutsrqponmlkjihgfedc2a
thread_mails 2 <<-END
	1 ann a1
	2 bob b1
END
echo '3 ann o1' > "$TMP/orders"
thread_mails 3 orders < "$TMP/orders"
token_for 1 $token
token_for 3 $other
token_for 2 $gone
sql "UPDATE thread_tokens SET valid = FALSE WHERE token_hash = UNHEX(SHA2('$gone', 256))"

upper=$(echo $token | tr "[:lower:]" "[:upper:]")
thread_mails 19 <<-END
	10 ann a2 to=support+$token@example.com
	11 zoe z1 to=support+$token@example.com
	12 zoe z2 irt=z1			# takes part now
	13 ann a3 irt=z2			# and is found by the others
	14 yan y1 to=support+$upper@example.com
	15 yan y2 to=support%2B$token@example.com
	16 yan y3 to=support+%61${token#a}@example.com
	17 pia p1 to=support+${token%a}@example.com	# cut
	18 pia p2 to=support+a${other}@example.com	# too long
	19 pia p3 to=support+b${token#a}@example.com	# guessed
	20 pia p4 to=support+$gone@example.com		# not valid any more
	21 pia p5 to=support+$other@example.com	# that of another route's thread
	22 mailer-daemon d1 auto=bounce to=support+$token@example.com
	23 mailer-daemon d2 irt=a1
	24 - n1 to=support+$token@example.com
	25 bob b2 irt=b1 to=support+$token@example.com	# before all else
END
is "$(threads)" '1 10 11 12 13 14 15 16 22 24 25 | 2 | 17 | 18 | 19 | 20 | 21 | 23' 'tokens'
is "$(sql "SELECT GROUP_CONCAT(email ORDER BY email) FROM thread_participants WHERE thread_id = UNHEX('$(thread_of 1)')")" \
	'ann@example.net,bob@example.net,yan@example.net,zoe@example.net' 'who takes part: no bounce, nobody twice'
is "$(sql "SELECT COUNT(*) FROM messages WHERE CONCAT(recipient, mailbox_hash, headers, to_json) LIKE '%$token%'")" 0 \
	'the token is in no message'
ingest_stop

# Numbers.
sed -i 's/^\[route support\]/&\nthread_by_subject = yes/' "$TMP/conf"
ingest_start
one=$(number_of 1) two=$(number_of 2) orders=$(number_of 3)
thread_mails 29 <<-END
	30 ann a10 subject=Re:_[#$one]_help
	31 ann a11 subject=AW:_[Example_Support_#$one]
	32 uma u1 subject=Re:_[#$one]			# a stranger
	33 ann a12 subject=Re:_[#$two]			# of others
	34 ann a13 subject=Re:_[#$orders]		# of another route
	35 ann a14 subject=Re:_[#99999]
	36 ann a15 subject=Re:_#$one			# no brackets
	37 - n5 subject=Re:_[#$one]
	38 ann a16 irt=a1 subject=Re:_[#$two]
	39 bob b5 subject=[JIRA]_[#$two]_[#$one]
END
is "$(threads)" '1 10 11 12 13 14 15 16 22 24 25 30 31 38 | 2 39 | 17 | 18 | 19 | 20 | 21 | 23 | 32 | 33 | 34 | 35 | 36 | 37' \
	'numbers, where the route says so'
ingest_stop

# What a ticket says.
sql "UPDATE tickets SET status = 'closed'"
ingest_start
thread_mails 33 <<-END
	40 ann a20 irt=a1 auto=replied
	41 mailer-daemon d5 auto=bounce to=support+$token@example.com
	42 bob b9 irt=b1
	43 eve e1 auto=generated header=X-Priority:1_(Highest)
END
is "$(ticket 1 'status, (SELECT COUNT(*) FROM ticket_messages m WHERE m.ticket_id = tickets.id), last_at')" \
	"closed	16	2026-11-22 12:00:41.000" 'automatic mail is kept, and opens nothing'
is "$(ticket 2 status)" open 'an answer opens again'
is "$(ticket 43 'status, priority, requester, requester_name, subject, route')" \
	"open	high	eve@example.net	Eve	Question 43	support" 'automatic mail can begin one'
