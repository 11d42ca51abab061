#!/usr/bin/env python3
"""mailctl preview: one page that has every template in every locale, and fetches nothing."""
import html.parser
import json
import os
import re
import shutil
import subprocess
import tempfile

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(TREE, "build"))
TEMPLATES = os.path.join(TREE, "templates")
NAMES = ["admin-alert", "admin-alert-sms", "gallery-received", "notification", "post-delayed",
         "post-failed", "ticket-received", "ticket-reply"]
count = 0
failed = 0


def tap(good, name, *notes):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    for note in notes if not good else []:
        print("# " + str(note).replace("\n", "\n# "))


def equal(got, wanted, name):
    tap(got == wanted, name, f"   got: {got}", f"wanted: {wanted}")


def preview(*arguments, templates=TEMPLATES):
    return subprocess.run([os.path.join(BUILD, "bin/mailctl"), "preview", "--templates", templates,
                           *arguments], capture_output=True, text=True, timeout=60)


class Page(html.parser.HTMLParser):
    """Mails as (template, locale), what is shown of each, and what would be fetched."""
    FETCHES = {"src", "srcset", "background", "poster", "data", "action"}

    def __init__(self, text):
        super().__init__()
        self.mails = []
        self.frames = []
        self.fetched = []
        self.template = None
        self.in_style = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        classes = (attrs.get("class") or "").split()
        self.in_style = tag == "style"
        if tag == "section":
            self.template = attrs["id"]
        if tag == "article":
            self.mails.append((self.template, attrs["data-locale"], []))
        if tag == "figure":
            self.mails[-1][2].append(" ".join(classes[1:]))
        if tag == "iframe":
            self.frames.append((attrs["sandbox"], attrs["srcdoc"]))
            self.fetched += Page(attrs["srcdoc"]).fetched
        for key, value in attrs.items():
            fetches = key in self.FETCHES or (tag == "link" and key == "href")
            if fetches and not value.startswith("data:"):
                self.fetched.append(f"<{tag} {key}={value}>")
            if key == "style":
                self.look_at_style(value)

    def look_at_style(self, text):
        self.fetched += re.findall(r"@import[^;]*|url\((?!['\"]?data:)[^)]*", text)

    def handle_data(self, data):
        if self.in_style:
            self.look_at_style(data)


HTML_VIEWS = ["desktop light", "phone light", "desktop dark", "phone dark", "text"]


def whole_page(folder):
    done = preview("-o", folder)
    equal((done.returncode, done.stdout, done.stderr), (0, folder + "/index.html\n", ""),
          "the shipped templates have no problem")
    equal(os.listdir(folder), ["index.html"], "one file")
    with open(folder + "/index.html", encoding="utf-8") as file:
        text = file.read()
    page = Page(text)
    wanted = [(name, locale, ["sms"] if name.endswith("sms") else HTML_VIEWS)
              for name in NAMES for locale in ("default", "de")]
    equal(page.mails, wanted, "all templates in all locales, in both widths and schemes")
    equal(page.fetched, [], "nothing is fetched")
    equal({sandbox for sandbox, mail in page.frames}, {"allow-same-origin"},
          "mails run no scripts")
    tap(all(len(mail) > 3000 and mail.count("</html>") == 1 for sandbox, mail in page.frames),
        "frames have whole mails")
    tap("default-src 'none'" in text, "the page's policy forbids to fetch")
    subjects = re.findall(r'<div class="subject">(.*?)</div>', text)
    tap(len(subjects) == 16 and all(subjects), "every subject", subjects)
    tap(all(len(s) <= 70 for s in subjects), "none is too long", subjects)


def selections(folder):
    preview("notification", "--locale", "de-AT", "-o", folder)
    with open(folder + "/index.html", encoding="utf-8") as file:
        page = Page(file.read())
    equal(page.mails, [("notification", "de-AT", HTML_VIEWS)], "one template in one locale")
    model = folder + "/model.json"
    with open(model, "w", encoding="utf-8") as out:
        json.dump({"title": "<T>", "message": "</script>M", "titel": 1}, out)
    done = preview("notification", "--model", model, "--locale", "de", "-o", folder)
    equal(done.stdout.split("\n")[0], "notification/de: titel is no parameter in template.json.",
          "a model's unknown parameter is told")
    with open(folder + "/index.html", encoding="utf-8") as file:
        text = file.read()
    tap('<div class="subject">&lt;T&gt;</div>' in text and "</script>M" not in text,
        "a model cannot break the page")
    with open(model, "w", encoding="utf-8") as out:
        json.dump({"title": "T"}, out)
    done = preview("notification", "--model", model, "-o", folder)
    equal((done.returncode, done.stdout.split("\n")[0]),
          (1, "notification: template notification: parameter message: is missing"),
          "a model's missing parameter is told")


def sms_is_bounded(folder):
    os.mkdir(folder)
    model = folder + "/sms.json"
    for size, problems in ((160, ""), (161, "admin-alert-sms/de: The text is longer than MaxLength "
                                       "allows, and so its end is cut off.\n")):
        title = "x" * (size - len("KRITISCH: "))
        with open(model, "w", encoding="utf-8") as out:
            json.dump({"title": title, "critical": True}, out)
        done = preview("admin-alert-sms", "--locale", "de", "--model", model, "-o", folder)
        long_subject = ("admin-alert-sms/de: The subject has %d characters; mail clients show 70 "
                        "at most.\n")
        equal(done.stdout, long_subject % len(title) + problems + folder + "/index.html\n",
              f"a text message of {size} characters")
        with open(folder + "/index.html", encoding="utf-8") as file:
            bubble = re.search(r'class="bubble">(.*?)</div>', file.read()).group(1)
        equal(len(bubble), 160, f"of {size} characters, 160 are sent")


def problems_are_told(folder):
    os.mkdir(folder)
    broken = folder + "/templates"
    shutil.copytree(TEMPLATES, broken)

    def put(path, text):
        with open(os.path.join(broken, path), "w", encoding="utf-8") as out:
            out.write(text)
    put("notification/subject.mustache", "y" * 71)
    put("notification/de/subject.mustache", "y" * 70)
    os.remove(broken + "/post-failed/de/html.mustache")
    shutil.rmtree(broken + "/post-delayed/de")
    put("ticket-reply/text.mustache", "Hello{{#bogus}}x{{/bogus}}")
    put("ticket-received/text.mustache", "{{#x}}")
    done = preview("-o", folder, templates=broken)
    equal(done.stdout.split("\n")[:-2], [
        "notification: The subject has 71 characters; mail clients show 70 at most.",
        "post-delayed: There is no de: its recipients get this one.",
        "post-failed/de: html.mustache is missing for de: the default's is sent.",
        "ticket-received: template ticket-received/text.mustache:1:1: is not closed: x",
        "ticket-reply: bogus is no parameter in template.json.",
        "ticket-reply/de: bogus is no parameter in template.json.",
    ], "what is missing, too long, unknown or broken is told")
    equal(done.returncode, 1, "a template that cannot be rendered is an error")


def usage(folder):
    equal(preview("notification").returncode, 64, "without -o")
    equal(preview("-o", folder, "none").stderr,
          "mailctl: template none: there is none of that name\n", "an unknown template")


def in_a_browser(folder):
    chromium = shutil.which("chromium")
    if chromium is None:
        for name in ("its script runs", "frames are as high as their mails", "no error"):
            tap(True, f"in a browser: {name} # SKIP chromium is not installed")
        return
    preview("-o", folder)
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--user-data-dir=" + folder + "/chromium", "--virtual-time-budget=5000",
         "--enable-logging=stderr", "--dump-dom", "file://" + folder + "/index.html"],
        capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": folder})
    heights = [int(h) for h in re.findall(r'</iframe>|style="height: (\d+)px', done.stdout) if h]
    tap('data-ready="yes"' in done.stdout, "in a browser: its script runs", done.stderr[-2000:])
    tap(len(heights) == 56 and min(heights) > 300, "in a browser: frames are as high as their mails",
        heights)
    console = [line for line in done.stderr.split("\n") if "CONSOLE" in line]
    equal(console, [], "in a browser: no error")


with tempfile.TemporaryDirectory(prefix="mailpipe-preview-") as temporary:
    for number, test in enumerate((whole_page, selections, sms_is_bounded, problems_are_told, usage,
                                   in_a_browser)):
        test(os.path.join(temporary, str(number)))
print(f"1..{count}")
raise SystemExit(1 if failed else 0)
