#!/bin/sh
# What manuals and README tell to type is what mailctl knows: commands, verbs, options.
. "$(dirname "$0")/../lib/tap.sh"
check() { "$TREE/tests/lib/mailctl-lines" "$BUILD/bin/mailctl" "$@"; }
check "$TREE"/man/*.[1578] "$TREE"/*.md > "$TMP/found"
is "$(sed '$d' "$TMP/found")" '' 'no command line is wrong'
ok 'and many were looked at' test "$(tail -n 1 "$TMP/found")" -ge 60

# It would find them.
cat > "$TMP/page.7" <<'END'
.Dd November 22, 2026
.Dt PAGE 7
.Ql mailctl retry soon ,
.Ql mailctl status -w --json .
.Ic mailctl dead requeue Fl -some
.It Ic mailctl trace Ar key
mailctl mend, in prose
.Bd -literal
mailctl -c FILE dead list --summary --routes=support | mailctl help exprot
mailctl send --to=a@example.net \e
	--subjekt='-x is no option here'
.Ed
END
cat > "$TMP/page.md" <<'END'
Try `mailctl chek`, not mailctl ever.

    mailctl send -p name=Ada --to=you@example.net -q
END
is "$(check "$TMP/page.7" "$TMP/page.md" | sed "s,$TMP/,,")" "page.7:3: retry: no soon
page.7:5: dead: no option --some
page.7:9: dead: no option --routes
page.7:9: no command exprot
page.7:10: send: no option --subjekt
page.md:1: no command chek
page.md:3: send: no option -q
9" 'what is wrong is found'
# A manual that is behind the program.
sed '/^\.It Fl -summary/d' "$TREE/man/mailctl.1" > "$TMP/mailctl.1"
is "$(check "$TMP/mailctl.1" | sed '$d; s/.*: dead/dead/')" 'dead: --summary stands only in the help' 'and what is missing in the manual'
like "$("$BUILD/bin/mailctl" help)" '^Exit status: 0 .*, 1 .*, 2 ' 'the help tells all exit statuses'
done_testing
