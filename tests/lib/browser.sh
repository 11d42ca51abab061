# shellcheck shell=sh
# A headless Chromium for tests of web pages, by way of ChromeDriver (WebDriver, W3C).  After tap.sh.
# It runs as root here, hence without its own sandbox: only for pages of the test's own.

readonly browser_window=1100,820
readonly browser_profile="$TMP/browser"

# webdriver METHOD PATH [JSON]: the answer's value; fails when the answer is an error.
webdriver() {
	curl -s -X "$1" -H 'Content-Type: application/json' ${3+--data-binary "$3"} "http://127.0.0.1:$browser_port$2" > "$TMP/webdriver" &&
		jq -r '.value | if type == "object" and has("error") then error(.message) else . end' "$TMP/webdriver"
}

# As long as nothing answers, `jq -e` of Debian 12 has no input and succeeds.
browser_ready() {
	browser_port=$(sed -n 's/^ChromeDriver was started successfully on port \([0-9]*\)\.$/\1/p' "$TMP/chromedriver.log")
	[ -n "$browser_port" ] && [ "$(webdriver GET /status | jq .ready)" = true ]
}

browser_start() {
	mkdir -p "$browser_profile"
	HOME=$browser_profile setsid chromedriver --port=0 > "$TMP/chromedriver.log" 2>&1 &
	browser_pid=$!
	at_exit 'browser_stop'
	wait_for 30 browser_ready || die "chromedriver: $(cat "$TMP/chromedriver.log")"
	browser_session=$(webdriver POST /session "$(jq -n --arg profile "$browser_profile/profile" --arg window "$browser_window" '
		{capabilities: {alwaysMatch: {browserName: "chrome", "goog:chromeOptions": {binary: "/usr/bin/chromium", args: [
			"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
			"--window-size=" + $window, "--user-data-dir=" + $profile]},
			"goog:loggingPrefs": {browser: "ALL"}}}}')" | jq -r .sessionId)
	[ -n "$browser_session" ] || die "no browser: $(cat "$TMP/webdriver" "$TMP/chromedriver.log")"
}

browser_stop() {
	[ -z "${browser_session-}" ] || webdriver DELETE "/session/$browser_session" > /dev/null
	browser_session=
	[ -z "${browser_pid-}" ] || kill -- "-$browser_pid" 2> /dev/null
	browser_pid=
}

# go URL
go() { webdriver POST "/session/$browser_session/url" "$(jq -n --arg url "$1" '{url: $url}')" > /dev/null; }

# page EXPRESSION: its value, in the page.
page() {
	webdriver POST "/session/$browser_session/execute/sync" "$(jq -n --arg script "return $1" '{script: $script, args: []}')"
}

# page_is EXPRESSION VALUE, for wait_for.
page_is() { [ "$(page "$1")" = "$2" ]; }

# element SELECTOR: its handle.
element() {
	webdriver POST "/session/$browser_session/element" \
		"$(jq -n --arg selector "$1" '{using: "css selector", value: $selector}')" | jq -r 'to_entries[0].value'
}

# As a person does it, with mouse and keyboard: fails for what is hidden or covered.
click() { webdriver POST "/session/$browser_session/element/$(element "$1")/click" '{}' > /dev/null; }
type_text() {
	webdriver POST "/session/$browser_session/element/$(element "$1")/value" "$(jq -n --arg text "$2" '{text: $text}')" > /dev/null
}

# frame [SELECTOR]: what follows happens in it; without one, in the page again.
frame() {
	if [ $# -gt 0 ]; then
		webdriver POST "/session/$browser_session/frame" \
			"$(jq -n --arg handle "$(element "$1")" '{id: {"element-6066-11e4-a52e-4f735466cecf": $handle}}')" > /dev/null
	else
		webdriver POST "/session/$browser_session/frame" '{"id": null}' > /dev/null
	fi
}

# window WIDTH HEIGHT: of the whole window, whose frame takes some of the height.
window() {
	webdriver POST "/session/$browser_session/window/rect" "{\"width\": $1, \"height\": $2}" > /dev/null
}

# screenshot FILE
screenshot() { webdriver GET "/session/$browser_session/screenshot" | base64 -d > "$1"; }

# What the browser complained of.
browser_log() {
	webdriver POST "/session/$browser_session/se/log" '{"type": "browser"}' | jq -r '.[].message'
}
