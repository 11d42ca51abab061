#!/bin/sh
# Which messages belong together: the same in one batch as one by one, and when all comes twice.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/thread.sh"
plan 10
use_sandbox --only broker,database
thread_setup
ingest_set workers 1

cat > "$TMP/mails" <<END
1 ann a1
2 ann a2 irt=a1			# an answer
3 bob b1 irt=a1 refs=a1		# a stranger who knows the id
4 mal a1			# a stolen Message-ID
5 ann a3 refs=a1		# still finds hers
6 mal m2 refs=a1		# and he finds his
7 carl c2 refs=c1		# the parent comes later
8 carl c1
9 dora d1 refs=c1
10 eve e2 refs=x1		# refers to a mail of somebody else, which is not there yet
11 fred x1			# and takes nothing from him
12 fred x2 refs=x1
13 gina g1 refs=g0		# two answers to what never comes
14 gina g2 refs=g0
15 - n1 refs=a1			# nobody
16 - n2 refs=n1,a1
17 ANN a4 irt=a2		# letter case of addresses
18 ann a5 subject=Re:_[#1]_x	# a number is not enough
19 ann a6 refs=a1,r*199		# where it began counts, whatever is behind
20 ann a7 refs=r*100,a1,r*99	# what is in the middle does not
21 ann a8 irt=a1 auto=replied	# an out-of-office reply
22 hugo h1			# the same mail to two addresses
23 hugo h1
24 ivy - refs=i0		# without a Message-ID
25 ivy i2 refs=i0
26 judy J1
27 judy j2 irt=j1		# letter case of Message-IDs: these are two
28 kim k1 irt=k0 refs=k3	# In-Reply-To and References of different threads: the first decides
29 kim k3
30 kim k5 irt=nowhere refs=k3,nowhere2
31 ann k6 refs=k1
32 lu@müller.example l1
33 lu@xn--mller-kva.example l2 irt=l1	# one domain
34 Lu@MÜLLER.example l3 irt=l2
35 al@straße.example s1
36 al@strasse.example s2 irt=s1	# two of them, whatever IDNA 2003 said
37 al@xn--strae-oqa.example s3 irt=s1
END
wanted='1 2 5 17 19 21 | 3 | 4 6 | 7 8 | 9 | 10 | 11 12 | 13 14 | 15 | 16 | 18 | 20 | 22 23 | 24 25 | 26 | 27 | 28 29 30 | 31 | 32 33 34 | 35 37 | 36'

# Beforehand, so that all are one batch.
ingest_set batch_count 256
"$TREE/tests/lib/thread-mails" < "$TMP/mails" | publish
ingest_start
stored 37
is "$(threads)" "$wanted" 'a batch'
is "$(sql 'SELECT COUNT(*), COUNT(DISTINCT number) FROM tickets')" "21	21" 'a ticket for each, with a number of its own'
is "$(sql 'SELECT COUNT(*) FROM ticket_messages')" 37 'each message stands in one'

state() { sql 'SELECT * FROM threads; SELECT * FROM thread_ids; SELECT * FROM thread_participants; SELECT * FROM tickets; SELECT * FROM ticket_messages' | md5sum; }
before=$(state)
"$TREE/tests/lib/thread-mails" < "$TMP/mails" | shuf | publish
all_twice() { [ "$(events duplicate)" -ge 37 ]; }
ok 'everything comes twice' wait_for 30 all_twice
is "$(state)" "$before" 'and changes nothing'
ingest_stop

# The routes know nothing of each other.
ingest_start
sed 's/^\([0-9]*\) /10\1 /' "$TMP/mails" | head -n 2 > "$TMP/orders"
echo '113 ann o3 irt=a1' >> "$TMP/orders"
thread_mails 40 orders < "$TMP/orders"
is "$(threads orders)" '101 102 113' 'another route has threads of its own'
is "$(threads)" "$wanted" 'of the same ids'
ingest_stop

sql 'DELETE FROM messages; DELETE FROM threads'
sed -i 's|^batch_count = 256|batch_count = 1|' "$TMP/conf"
"$TREE/tests/lib/thread-mails" < "$TMP/mails" | publish
ingest_start
stored 37
is "$(threads)" "$wanted" 'one by one'

# What had to wait in a tier comes after what was received later.
thread_mails 40 <<END
42 lena l2 refs=l1
43 lena l3 refs=l2
41 lena l1
END
is "$(ticket 41 "first_at, last_at, (SELECT COUNT(*) FROM ticket_messages m WHERE m.ticket_id = tickets.id)")" \
	"$(printf '2026-11-22 12:00:41.000\t2026-11-22 12:00:43.000\t3')" 'a ticket begins with what was received first'
ticket 41 'subject, status' > "$TMP/ticket"
is "$(cat "$TMP/ticket")" "$(printf 'Question 42\topen')" 'and is called as it was when it was opened'
