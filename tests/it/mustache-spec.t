#!/usr/bin/env python3
"""`mailctl render` is Mustache: the specification's cases, lambdas left out, and our own.

MUSTACHE_SPEC is the specification's folder of JSON files (../shared/mustache-spec)."""
import glob
import json
import os
import subprocess
import tempfile

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(TREE, "build"))
SPEC = os.environ.get("MUSTACHE_SPEC", os.path.join(TREE, "..", "shared", "mustache-spec"))
MODULES = ["comments", "delimiters", "interpolation", "inverted", "partials", "sections",
           "~dynamic-names", "~inheritance"]
count = 0
failed = 0


def tap(good, name, *notes):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    for note in notes if not good else []:
        print("# " + str(note).replace("\n", "\n# "))


def render(template, data, partials=None, options=()):
    """Exit status, standard output, standard error."""
    with tempfile.TemporaryDirectory(prefix="mailpipe-mustache-") as folder:
        def put(name, text):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8", newline="") as out:
                out.write(text)
            return path
        for name, text in (partials or {}).items():
            put(name + ".mustache", text)
        done = subprocess.run(
            [os.path.join(BUILD, "bin/mailctl"), "render", "--partials", folder, *options,
             put("template", template), put("model.json", json.dumps(data))],
            capture_output=True, text=False, timeout=20)
    return (done.returncode, done.stdout.decode(),
            done.stderr.decode().replace(folder + "/", ""))


def spec_module(name):
    with open(os.path.join(SPEC, name + ".json"), encoding="utf-8") as file:
        tests = json.load(file)["tests"]
    wrong = []
    for test in tests:
        status, out, error = render(test["template"], test["data"], test.get("partials"))
        if status != 0 or out != test["expected"]:
            wrong.append(f"{test['name']}: {test['template']!r} gave {out!r} {error!r}, "
                         f"not {test['expected']!r}")
    tap(tests and not wrong, f"specification: {name}, {len(tests)} cases", *wrong)
    return len(tests)


def specification():
    if not glob.glob(os.path.join(SPEC, "*.json")):
        tap(True, f"specification # SKIP there is none in {SPEC} (MUSTACHE_SPEC)")
        return
    counts = [spec_module(name) for name in MODULES]
    tap(sum(counts[:6]) >= 136, "all of the core modules' cases were there", counts)


def own(name, expected, template, data, partials=None, options=()):
    got = render(template, data, partials, options)
    tap(got == expected, name, got)


specification()
own("HTML is escaped", (0, "&lt;b&gt; &amp; &quot;x&quot; 'y'", ""), "{{a}}", {"a": "<b> & \"x\" 'y'"})
own("not with --text", (0, "<b> &", ""), "{{a}}", {"a": "<b> &"}, options=["--text"])
own("a missing name renders as nothing", (0, "[]", ""), "[{{a.b}}{{>none}}]", {})
own("with --strict it is an error that names its place",
    (1, "", "mailctl: template template:2:2: a.b: the model lacks it\n"), "\n {{a.b}}", {},
    options=["--strict"])
own("with --strict a missing partial, too",
    (1, "", "mailctl: template template:1:1: there is no partial none\n"), "{{>none}}", {},
    options=["--strict"])
own("numbers are not rounded", (0, "0.1 12345678901234567 0", ""), "{{a}} {{b}} {{c}}",
    {"a": 0.1, "b": 12345678901234567, "c": 0})
own("a layout with a locale's partial",
    (0, "<p>\n  Guten Tag, Ada\n</p>\n", ""),
    "{{<page}}{{$body}}{{>*greeting}}{{/body}}{{/page}}", {"greeting": "de", "name": "Ada"},
    {"page": "<p>\n  {{$body}}{{/body}}\n</p>\n", "de": "Guten Tag, {{name}}"})
own("a syntax error names its place",
    (1, "", "mailctl: template template:1:3: is not closed: a\n"), "x {{#a}}", {})
own("of a partial, too", (1, "", "mailctl: template p.mustache:1:1: closes what is not open: b\n"),
    "{{>p}}", {}, {"p": "{{/b}}"})
own("endless recursion ends",
    (1, "", "mailctl: template p.mustache:1:1: p: sections and partials are nested too deep\n"),
    "{{>p}}", {}, {"p": "{{>p}}"})
own("a partial's name is no path", (0, "", ""), "{{>*p}}", {"p": "../../../etc/hostname"})
missing = subprocess.run([os.path.join(BUILD, "bin/mailctl"), "render", "/none", "/none"],
                         capture_output=True, text=True)
tap(missing.returncode == 1 and missing.stderr.startswith("mailctl: "), "a missing file", missing)
usage = subprocess.run([os.path.join(BUILD, "bin/mailctl"), "render", "one"], capture_output=True)
tap(usage.returncode == 64, "usage", usage)
print(f"1..{count}")
raise SystemExit(1 if failed else 0)
