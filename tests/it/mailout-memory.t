#!/bin/sh
# A worker is small at rest, and stays bounded with many and with large requests in the queue.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
nm -D "$BUILD/sbin/mailout" | grep -q __asan_init && skip_all 'sanitizers need memory of their own'
plan 4
use_sandbox --only broker,database
mailout_setup
# Resident memory of a worker with its sessions' processes, in MB; shared pages count once for each.
memory() {
	worker=$(mailout_workers | head -n 1)
	for pid in $worker $(pgrep -P "$worker"); do sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup"; done |
		awk '{ sum += $1 } END { print int(sum / 1024) }'
}
mailout_start
await_log 'event=consuming'
requests 1 | publish
recorded 'sent 1'
rest=$(memory)
ok "at rest at most 40 MB ($rest)" test "$rest" -le 40

# Nothing goes out: all that is taken is held.
sink_mode 'pause 1'
first=2 requests 3000 | publish
first=5000 requests 100 '"Attachments": [{"Name": "a.bin", "ContentType": "application/octet-stream", "Content": "@@"}]' |
	python3 -c 'import base64, os, sys
content = base64.b64encode(os.urandom(750000)).decode()
for line in sys.stdin: sys.stdout.write(line.replace("@@", content))' | publish bulk
most=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	now=$(memory)
	[ "$now" -le "$most" ] || most=$now
	sleep 1
done
ok "with 3000 requests and 100 of a megabyte at most 200 MB ($most)" test "$most" -le 200
sink_mode ''
recorded 'sent 3101' 90
is "$(mail_numbers | uniq | wc -l)" 3101 'all are sent'
sleep 2
later=$(memory)
ok "afterwards at most 80 MB ($later)" test "$later" -le 80
