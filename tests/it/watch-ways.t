#!/bin/sh
# mailctl watch: a way out that fails or hangs is logged and stops neither the others nor the watcher.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/watch.sh"
plan 26
watch_setup
# Neither broker nor database are there, so there is something to tell.
cat > "$TMP/hook.py" <<-'END'
	import http.server, sys, time
	class Handler(http.server.BaseHTTPRequestHandler):
	    def do_POST(self):
	        body = self.rfile.read(int(self.headers["Content-Length"]))
	        if self.path.startswith("/hang"):
	            time.sleep(1000)
	        open(sys.argv[1] + "/post", "wb").write(self.path.encode() + b"\n" + self.headers["Content-Type"].encode() + b"\n" + body)
	        self.send_response(500 if self.path.startswith("/fail") else 204)
	        self.end_headers()
	    def log_message(self, *args):
	        pass
	server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
	open(sys.argv[1] + "/port.new", "w").write(str(server.server_address[1]))
	import os
	os.rename(sys.argv[1] + "/port.new", sys.argv[1] + "/port")
	server.serve_forever()
END
python3 "$TMP/hook.py" "$TMP" 2> "$TMP/http.log" &
http=$!
at_exit "kill $http 2> /dev/null"
wait_for 30 test -s "$TMP/port" || die "no HTTP server: $(cat "$TMP/http.log")"
url=http://127.0.0.1:$(cat "$TMP/port")

# Hanging.
watch_set timeout 5s
watch_set command "echo \$\$ > $TMP/pid; sleep 1000"
watch_set url "$url/hang"
watch_start
await_log 'event=alert-failed way=url '
await_log 'event=alert-failed way=command '
like "$(cat "$TMP/log")" 'event=alert-failed way=command news=new kinds="database broker" reason="was not done after 5000 ms and has been killed"$' \
	'a command that hangs is killed'
like "$(cat "$TMP/log")" 'event=alert-failed way=url news=new kinds="database broker" reason="was not done after 5000 ms and has been killed"$' \
	'so is a URL that hangs'
is "$(mails_to ops@example.test) $(mails_to sms@example.test)" '1 1' 'the mail and the SMS are sent'
gone() { ! kill -0 "$(cat "$TMP/pid")" 2> /dev/null; }
ok 'nothing is left of the command' wait_for 30 gone
rounds 3
pass 'the watcher goes on'
watch_stop
is "$watch_status" 0 'and ends when it is asked to'
is "$(mails_to ops@example.test) $(mails_to sms@example.test)" '1 1' 'nobody was told twice'

# Failing, and working again.
rm "$TMP/state/"*
: > "$SINK/mails"
: > "$TMP/told"
watch_set timeout 20s
watch_set url "$url/fail"
watch_set command 'echo what is this >\&2; exit 3'
watch --once > "$TMP/out" 2>> "$TMP/log"
is $? 1 'a round by itself'
like "$(cat "$TMP/out")" '^error    alert by command: new: status 3: what is this$' 'a command that fails'
like "$(cat "$TMP/out")" '^error    alert by url: new: status 22: curl: .*500' 'a URL that is answered by 500'
is "$(mails_to ops@example.test) $(mails_to sms@example.test)" '1 1' 'the others work'
rm "$TMP/post"
watch_set url "$url/hook?token=a\"b"
watch --test > "$TMP/out" 2>> "$TMP/log"
is $? 1 'a test: exit status'
like "$(cat "$TMP/out")" '^ok       alert by url: new: told$' 'the URL works again'
is "$(sed -n 1,2p "$TMP/post")" "$(printf '/hook?token=a"b\napplication/json')" 'what is posted where'
is "$(tail -n +3 "$TMP/post" | jq -r '[.RecordType, .News, .Instance, .Title, (.Items | length)] | join("|")')" \
	'Alert|new|test|this is a test, all is well|1' 'is a document'

# The mail server is away; what could not be told is told later.
rm "$TMP/state/"* "$TMP/post"
: > "$SINK/mails"
sink_stop
mv "$SINK/port" "$SINK/port.was"
watch_set command "echo \"\$MAILPIPE_ALERT \$MAILPIPE_KINDS\" >> $TMP/told"
watch --once > "$TMP/out" 2>> "$TMP/log"
is "$(told)" 'new database broker smtp' 'no SMTP server: the command is run'
like "$(cat "$TMP/out")" '^error    alert by mail: new: status 75: .*mailout: deferred ops@example.test: 4.4.1 ' 'the mail is not sent'
mv "$SINK/port.was" "$SINK/port"
sink_start
watch --once > "$TMP/out" 2>> "$TMP/log"
is "$(mails_to ops@example.test)" 0 'nor a moment later'
# The pause of 15 s after a failure is over.
sed -i 's/"Retry": [0-9]*/"Retry": 0/' "$TMP/state/watch.json"
watch --once > "$TMP/out" 2>> "$TMP/log"
is "$(subjects_to ops@example.test | sed 's/ (.*//')" 'Critical: the database is away, and 1 more' 'but later'
is "$(told | head -n 1)" 'new database broker smtp' 'the command was not run again for that'

# The template of alerts itself is broken.
rm "$TMP/state/"*
: > "$SINK/mails"
mkdir "$TMP/templates"
cp -r "$TREE/templates/." "$TMP/templates"
echo '{{#open}}' > "$TMP/templates/admin-alert/text.mustache"
sed -i "s|^templates = .*|templates = $TMP/templates|" "$TMP/conf"
watch --once > "$TMP/out" 2>> "$TMP/log"
like "$(subjects_to ops@example.test)" '^mailpipe on [^ ]*: the database is away, and 2 more$' 'a broken template: the mail comes without it'
like "$(cat "$TMP/out")" '^warning  alert by mail: new: status 75: ' 'which is told'
like "$(cat "$TMP/out")" '^error    templates: a mail template is broken: template admin-alert' 'as is the template'

# Two watchers would tell everything twice.
watch_start
rounds 1
watch 2> "$TMP/errors"
is $? 75 'a second watcher ends'
is "$(cat "$TMP/errors")" "mailctl: another mailctl watch uses $TMP/state" 'and says why'
like "$(watch --once 2>&1)" '^mailctl: another mailctl watch uses .*: nobody is told of what this one finds$' 'a single round tells nobody'
