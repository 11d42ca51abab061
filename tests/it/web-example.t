#!/bin/sh
# The example of a web front end in a real browser: tickets and gallery from a user that may only SELECT, mail that
# wants to run scripts, and a ticket that is answered, sent once, and answered again by its customer.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
. "$(dirname "$0")/../lib/browser.sh"
command -v chromedriver > /dev/null || skip_all 'chromium-driver is not installed'
use_pipeline
"$SANDBOX" up "$SANDBOX_DIR" web --quiet || die 'the pages do not come up'
# shellcheck disable=SC2016
at_exit '"$SANDBOX" halt "$SANDBOX_DIR" web'
SITE=http://127.0.0.1:$WEB_PORT
CUSTOMER=$TAG@example.net

# part TYPE NAME FILE: an attachment.
part() {
	printf -- '--b\nContent-Type: %s\nContent-Disposition: attachment; filename="%s"\nContent-Transfer-Encoding: base64\n\n' "$1" "$2"
	base64 "$3"
}
# post RECIPIENT: the mail on standard input.
post() {
	sed 's/$/\r/' > "$TMP/post"
	smtp --file "$TMP/post" --from "$CUSTOMER" "$1" | cut -d' ' -f2-
}
# ---- mail that would like to be more than text ----
{
	cat <<-MAIL
		From: "Ann <i>B</i>" <$CUSTOMER>
		To: desk@example.test
		Subject: <script>document.title='owned'</script> & $TAG
		Message-ID: <question.$TAG@example.net>
		MIME-Version: 1.0
		Content-Type: multipart/mixed; boundary=b

		--b
		Content-Type: multipart/alternative; boundary=a

		--a
		Content-Type: text/plain

		Where is <b>my</b> order?
		--a
		Content-Type: text/html

		<p>Where is <b>my</b> order?</p><img src="$SITE/tracker-$TAG.gif" onerror="top.document.title='owned'">
		<script>top.document.title='owned'; console.error('owned')</script>
		--a--
	MAIL
	part image/png 'a "name" <b>.png' "$TREE/tests/images/palette.png"
	part text/html 'page.html' "$TREE/tests/demo/support-html.body.html"
	echo '--b--'
} | post desk@example.test > "$TMP/id"
ok 'the question is stored' rows_become 1 "route = 'desk' AND from_email = '$CUSTOMER'"
number=$(sql "SELECT number FROM tickets WHERE requester = '$CUSTOMER'")
browser_start

go "$SITE/"
is "$(page 'document.title')" Tickets 'the list of tickets'
is "$(page "document.querySelector('a[href=\"/tickets/$number\"] .subject').textContent")" \
	"<script>document.title='owned'</script> & $TAG" 'a subject is text'
is "$(page "document.querySelector('a[href=\"/tickets/$number\"] .from').textContent")" "Ann <i>B</i> $CUSTOMER" 'and so is a name'
ok 'a click on it' click "a[href='/tickets/$number']"
is "$(page 'document.querySelector("h1 .status").textContent')" open 'opens the ticket'
is "$(page 'document.querySelector("article pre").textContent.trim()')" 'Where is <b>my</b> order?' 'what was written'
shown() { [ "$(page "document.querySelector('$1').naturalWidth")" -gt 0 ]; }
wait_for 30 shown '.files img'
is "$(page 'document.querySelector(".files img").naturalWidth')" \
	"$(sql "SELECT image_width FROM attachments JOIN messages m ON m.id = message_id WHERE m.from_email = '$CUSTOMER' AND position = 0")" 'an image that came along is shown'
is "$(page '[...document.querySelectorAll(".files a")].map(a => a.firstChild.nextSibling?.textContent ?? a.textContent).length')" 2 'and both files are offered'
html=$(sql "SELECT r.id FROM attachments_readable r JOIN attachments a ON UNHEX(REPLACE(r.id, '-', '')) = a.id
	JOIN messages m ON m.id = a.message_id WHERE a.name = 'page.html' AND m.from_email = '$CUSTOMER'")
curl -s -D "$TMP/headers" -o "$TMP/page.html" "$SITE/files/$html"
like "$(tr -d '\r' < "$TMP/headers")" "^Content-Type: application/octet-stream$" 'a page that came along is not shown'
like "$(tr -d '\r' < "$TMP/headers")" "^Content-Disposition: attachment; filename\*=UTF-8''page\.html$" 'it is for saving'
ok 'byte by byte' cmp -s "$TREE/tests/demo/support-html.body.html" "$TMP/page.html"
ok 'the HTML of a mail' click 'article details:last-of-type summary'
frame_loaded() { [ "$(page 'performance.getEntriesByType("resource").filter(r => r.name.includes("/messages/")).length')" = 1 ]; }
ok 'is shown in a frame' wait_for 60 frame_loaded
frame iframe
is "$(page 'document.querySelector("p").innerHTML')" 'Where is <b>my</b> order?' 'as the sender made it'
frame
is "$(page 'document.title')" "#$number <script>document.title='owned'</script> & $TAG" 'in which no script runs'
is "$(browser_log)" '' 'so that nothing is complained of'
unlike "$(cat "$SANDBOX_DIR/log/web.log")" "tracker-$TAG" 'and which fetches nothing'

# ---- an answer ----
find_mail() {
	for file in "$MAILBOX"/*; do
		[ -r "$file" ] && grep -q "^X-Original-To: $CUSTOMER" "$file" && tr -d '\r' < "$file" > "$TMP/mail" && return 0
	done
	return 1
}
ok 'an answer is written' type_text '#text' 'It is <b>on its way</b>: Grüße & 42 €.'
ok 'and sent' click 'form button'
ok 'the page says so' wait_for 60 page_is 'document.querySelector(".note").textContent' 'Your answer was sent.'
ok 'it arrives' wait_for 60 find_mail
is "$(page 'document.querySelector("article.out pre").textContent')" 'It is <b>on its way</b>: Grüße & 42 €.' 'and stands in the ticket'
is "$(page 'document.querySelector("h1 .status").textContent')" pending 'which waits for the customer'
reply=$(sed -n 's/^Reply-To: //p' "$TMP/mail")
printf 'From: %s\nTo: %s\nSubject: Re: that\n\nThank you!\n' "$CUSTOMER" "$reply" | post "$reply" > "$TMP/id"
ok 'the customer answers' rows_become 2 "from_email = '$CUSTOMER'"
go "$SITE/tickets/$number"
is "$(page '[...document.querySelectorAll("article > pre")].map(p => p.textContent.trim()).join("|")')" \
	'Where is <b>my</b> order?|It is <b>on its way</b>: Grüße & 42 €.|Thank you!' 'in the same ticket'
is "$(page 'document.querySelector("h1 .status").textContent')" open 'which is open again'

# ---- forms that are sent twice, or by others ----
# form ORIGIN ID TEXT-FILE: the status.
form() {
	curl -s -o "$TMP/answer" -w '%{http_code}' -H "Origin: $1" --data-urlencode "id=$2" --data-urlencode "text@$3" "$SITE/tickets/$number"
}
id=$(cat /proc/sys/kernel/random/uuid)
echo 'Only once.' > "$TMP/text"
is "$(form "$SITE" "$id" "$TMP/text")$(form "$SITE" "$id" "$TMP/text")" 303303 'a button pressed twice'
settled() { go "$SITE/tickets/$number?sent=$id" && page_is 'document.querySelector(".note").textContent' 'Your answer was sent.'; }
ok 'its answer is sent' wait_for 60 settled
is "$(form http://elsewhere.example "$id" "$TMP/text")" 403 'a form of another site'
is "$(form null "$id" "$TMP/text")" 403 'or of nowhere'
is "$(form "$SITE" "not-an-id" "$TMP/text")" 422 'an id that is none'
: > "$TMP/empty"
is "$(form "$SITE" "$(cat /proc/sys/kernel/random/uuid)" "$TMP/empty")" 422 'no text'
head -c 100001 /dev/zero | tr '\0' x > "$TMP/long"
is "$(form "$SITE" "$(cat /proc/sys/kernel/random/uuid)" "$TMP/long")" 422 'a text that is too long'
head -c 100000 "$TMP/long" > "$TMP/longest"
long=$(cat /proc/sys/kernel/random/uuid)
is "$(form "$SITE" "$long" "$TMP/longest")" 303 'the longest'
id=$long
ok 'is sent' wait_for 60 settled
is "$(sql "SELECT COUNT(*) FROM ticket_messages m JOIN tickets t ON t.id = m.ticket_id WHERE t.number = $number AND direction = 'out'")" \
	3 'three answers were sent, each once'

# ---- the gallery ----
{
	printf 'From: Ann <%s>\nTo: gallery@example.test\nSubject: At the lake %s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n' "$CUSTOMER" "$TAG"
	part image/jpeg turned.jpg "$TREE/tests/images/exif-6.jpg"
	part image/heic still.heic "$TREE/tests/images/plain.heic"
	echo '--b--'
} | post "gallery+$TAG@example.test" > "$TMP/id"
ok 'photos are posted' rows_become 1 "route = 'gallery' AND from_email = '$CUSTOMER'"
go "$SITE/gallery"
ok 'the album' click "a[href='/gallery?album=$TAG']"
is "$(page '[...document.querySelectorAll("figcaption b")].map(b => b.textContent).join("|")')" "At the lake $TAG|At the lake $TAG" 'shows them'
wait_for 30 shown 'figure img'
# The width and height in the page are those that the browser finds, which turns the photo.
is "$(page '(i => [i.naturalWidth, i.naturalHeight].join("x"))(document.querySelector("figure img"))')" \
	"$(page '(i => [i.getAttribute("width"), i.getAttribute("height")].join("x"))(document.querySelector("figure img"))')" 'upright'
photo=$(page 'document.querySelector("figure a").href')
curl -s -o "$TMP/photo" "$photo"
ok 'with the bytes that were posted' cmp -s "$TREE/tests/images/exif-6.jpg" "$TMP/photo"
is "$(page 'document.querySelector("figure .file").textContent')" still.heic 'what no browser shows is offered by name'
is "$(curl -s -o /dev/null -w '%{http_code}' "$SITE/files/00000000-0000-0000-0000-000000000000")" 404 'a file that is not there'
is "$(curl -s -o /dev/null -w '%{http_code}' "$SITE/tickets/4294967296")" 404 'a ticket that is not there'
is "$(curl -s -o /dev/null -w '%{http_code}' "$SITE/tickets?status=x")" 404 'a status that is none'
is "$(curl -s -o /dev/null -w '%{http_code}' -X PUT "$SITE/tickets")" 405 'a method that is none of ours'

# ---- what it may ----
mariadb --socket="$MYSQL_SOCKET" -u mailpipe-web "-p$(cat "$SANDBOX_DIR/etc/mailpipe/web.password")" "$MYSQL_DATABASE" \
	-e 'DELETE FROM tickets' 2> "$TMP/denied"
like "$(cat "$TMP/denied")" 'DELETE command denied' 'its user may not write'
unlike "$(cat "$SANDBOX_DIR/log/web.log")" 'PHP (Warning|Notice|Deprecated|Fatal)|Exception' 'PHP has nothing to complain of'

# Without a database the pages say so.
DATABASE_DSN="mysql:unix_socket=$TMP/none" php -S 127.0.0.1:0 "$TREE/examples/web/index.php" > "$TMP/away" 2>&1 &
at_exit "kill $!"
wait_for 60 grep -q ' started$' "$TMP/away"
port=$(sed -n 's|.*(http://127.0.0.1:\([0-9]*\)) started$|\1|p' "$TMP/away")
is "$(curl -s -o "$TMP/page" -w '%{http_code}' "http://127.0.0.1:$port/tickets")" 503 'without a database it is away'
unlike "$(cat "$TMP/page")" 'PDO|SQLSTATE' 'and tells strangers nothing'
done_testing
