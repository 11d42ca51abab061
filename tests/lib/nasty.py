#!/usr/bin/python3
"""usage: nasty.py NAME [SIZE] > mail
       nasty.py --list

Ugly mails, made when a test needs them.  In the code: nasty.mail(NAME[, SIZE]).  SIZE is
what the mail has too much of; without it the size is one that hurts."""

import base64
import struct
import sys

GENERATORS = {}
# Nothing is wrong with these: the defects of a mail are those that its generator put in.
DATE = b"Date: Mon, 1 Jan 2024 00:00:00 +0000\n"
START = b"From: Ann <ann@example.com>\n" + DATE
TOP = START + b"To: bob@example.com\nSubject: nasty\n"
MIME = TOP + b"MIME-Version: 1.0\n"
# A word that each mail's text has, so that a test can see whether the text came through.
HELLO = b"hello from the body\n"


def nasty(size=None):
    """Register a generator under its name with '-' for '_'.  size: the default SIZE."""
    def register(function):
        GENERATORS[function.__name__.replace("_", "-")] = (function, size)
        return function
    return register


def mail(name, size=None):
    function, default = GENERATORS[name]
    if default is None:
        return function()
    return function(default if size is None else size)


def mixed(parts, boundary=b"b", end=True):
    body = b"".join(b"--%s\n%s\n" % (boundary, part) for part in parts)
    return (MIME + b'Content-Type: multipart/mixed; boundary="%s"\n\n' % boundary + body
            + (b"--%s--\n" % boundary if end else b""))


def text_part(text=HELLO):
    return b"Content-Type: text/plain\n\n" + text


def file_part(name, data=b"file", kind=b"application/octet-stream"):
    return (b'Content-Type: %s\nContent-Disposition: attachment; filename="%s"\n'
            b"Content-Transfer-Encoding: base64\n\n" % (kind, name) + base64.encodebytes(data))


def with_field(name, value, text=HELLO):
    return TOP + b"%s: %s\n\n" % (name, value) + text


# ---- what is hardly a mail ----

@nasty()
def empty():
    return b""


@nasty()
def one_newline():
    return b"\n"


@nasty()
def no_headers():
    return b"\n" + HELLO


@nasty()
def indented_header():
    return b" " + TOP + b"\n" + HELLO


@nasty()
def indented_text():
    return b"  hello from the body\n  second line: not a field\n"


@nasty()
def no_headers_no_blank():
    return b"hello this is just text\nwithout any header\n"


@nasty()
def only_headers():
    return TOP


@nasty()
def only_headers_unterminated():
    return TOP[:-1]


@nasty()
def only_colons():
    return b":\n::\n:::\n \n\n" + HELLO


@nasty(1 << 20)
def nul_bytes(size):
    return b"\0" * size


@nasty()
def nul_everywhere():
    return b"\0".join((TOP + b"\n" + HELLO)[i:i + 3] for i in range(0, len(TOP) + 21, 3))


@nasty(4 << 20)
def high_bytes(size):
    return bytes(range(128, 256)) * (size // 128)


@nasty(4 << 20)
def long_line_body(size):
    return TOP + b"\n" + HELLO + b"x" * size + b"\n"


@nasty(4 << 20)
def long_line_header(size):
    return TOP + b"X-Long: " + b"x" * size + b"\n\n" + HELLO


@nasty(4 << 20)
def long_line_first(size):
    return b"x" * size


@nasty(4 << 20)
def header_without_colon(size):
    return b"x" * size + b"\n" + TOP + b"\n" + HELLO


@nasty(1000000)
def empty_lines(size):
    return TOP + b"\n" + b"\n" * size


@nasty(1000000)
def carriage_returns(size):
    return TOP + b"\n" + HELLO + b"\r" * size


# ---- header floods ----

@nasty(100000)
def headers(count):
    """count fields in all."""
    own = TOP.count(b"\n")
    return TOP + b"".join(b"X-%d: y\n" % i for i in range(count - own)) + b"\n" + HELLO


@nasty(300000)
def same_headers(count):
    return TOP + b"To: bob@example.com\n" * count + b"\n" + HELLO


@nasty(2 << 20)
def header_bytes(size):
    """A header of exactly size bytes, the last line end not counted."""
    rest = size + 1 - len(TOP)
    lines = []
    while rest > 0:
        length = rest if rest < 160 else 80
        lines.append(b"X-A: " + b"y" * (length - 6) + b"\n")
        rest -= length
    return TOP + b"".join(lines) + b"\n" + HELLO


@nasty(200000)
def folded_header(count):
    return TOP + b"X-Fold: a\n" + b" b\n" * count + b"\n" + HELLO


@nasty(200000)
def blank_folds(count):
    return TOP + b"X-Fold: a\n" + b" \t\n" * count + b"\n" + HELLO


@nasty(100000)
def received_flood(count):
    line = (b"Received: from a.example (a.example [192.0.2.1]) by b.example with ESMTP id 1;"
            b" Mon, 1 Jan 2024 00:00:00 +0000\n")
    return line * count + TOP + b"\n" + HELLO


@nasty(1 << 20)
def references_flood(size):
    one = b" <0123456789@example.com>\n"
    return TOP + b"References:" + one * (size // len(one)) + b"\n" + HELLO


@nasty(1 << 20)
def references_garbage(size):
    return with_field(b"References", b"<" * (size // 2) + b"(" * (size // 2))


@nasty(1 << 20)
def subject_long(size):
    return START + b"Subject: " + b"s" * size + b"\n\n" + HELLO


@nasty(100000)
def encoded_words(count):
    return START + b"Subject:" + b" =?utf-8?q?=C3=A4?=\n" * count + b"\n" + HELLO


@nasty(100000)
def encoded_words_broken(count):
    return START + b"Subject:" + b" =?utf-8?b?w6Q" * count + b"\n\n" + HELLO


@nasty(300000)
def encoded_word_starts(count):
    return START + b"Subject: " + b"=?" * count + b"\n\n" + HELLO


@nasty(100000)
def encoded_words_charsets(count):
    words = b"".join(b" =?x-%d?q?a?=\n" % i for i in range(count))
    return START + b"Subject:" + words + b"\n" + HELLO


@nasty(20000)
def encoded_words_from(count):
    return DATE + b"From:" + b" =?utf-8?q?=C3=A4?=\n" * count + b" <ann@example.com>\n\n" + HELLO


# ---- addresses ----

@nasty(98 << 10)
def address_colons(size):
    """Overflows the stack of GMime's address parser: each colon opens a group."""
    return START + b"To: " + b"a:" * (size // 2) + b"\n\n" + HELLO


@nasty(1 << 20)
def address_colons_folded(size):
    return START + b"To: " + b"a:a:a:a:\n " * (size // 10) + b"\n\n" + HELLO


@nasty(98 << 10)
def from_colons(size):
    return DATE + b"Subject: nasty\nFrom: " + b"a:" * (size // 2) + b"\n\n" + HELLO


@nasty(98 << 10)
def sender_colons(size):
    fields = (b"Sender", b"Reply-To", b"Cc", b"Bcc", b"Resent-To", b"Resent-From",
              b"Return-Receipt-To", b"Disposition-Notification-To", b"Errors-To")
    return TOP + b"".join(f + b": " + b"a:" * (size // 2) + b"\n" for f in fields) + b"\n" + HELLO


@nasty(98 << 10)
def part_address_colons(size):
    """The same in a mail within the mail."""
    return mixed([text_part(), b"Content-Type: message/rfc822\n\nTo: " + b"a:" * (size // 2) + b"\n\ninner\n"])


@nasty(100000)
def comments_nested(depth):
    return with_field(b"Cc", b"(" * depth + b")" * depth + b" carl@example.com")


@nasty(100000)
def comments_open(depth):
    return with_field(b"Cc", b"(" * depth)


@nasty(100000)
def comments_many(count):
    return with_field(b"Cc", b"(a)" * count + b" carl@example.com")


@nasty(100000)
def quotes_open(count):
    return with_field(b"Cc", b'"' * (count + 1))


@nasty(100000)
def quotes_escaped(count):
    return with_field(b"Cc", b'"' + b"\\\"" * count + b'" <carl@example.com>')


@nasty(100000)
def angles(count):
    return with_field(b"Cc", b"<" * count + b"carl@example.com" + b">" * count)


@nasty(100000)
def commas(count):
    return with_field(b"Cc", b"," * count + b"carl@example.com")


@nasty(100000)
def routes(count):
    return with_field(b"Cc", b"<" + b"@a.example," * count + b":carl@example.com>")


@nasty(100000)
def ats(count):
    return with_field(b"Cc", b"@" * count)


@nasty(100000)
def dots(count):
    return with_field(b"Cc", b"a." * count + b"b@example.com")


@nasty(100000)
def addresses(count):
    """count addresses in To."""
    return (START + b"To: " + b",\n ".join(b"u%d@example.com" % i for i in range(count))
            + b"\n\n" + HELLO)


@nasty(100000)
def groups(count):
    return with_field(b"Cc", b" ".join(b"g%d: u%d@example.com;," % (i, i) for i in range(count)))


@nasty(10000)
def address_fields(count):
    return TOP + b"".join(b"Cc: c%d@example.com\n" % i for i in range(count)) + b"\n" + HELLO


@nasty()
def address_without_domain():
    return DATE + b"From: ann\nTo: bob, <carl>, @example.com, dora@\n\n" + HELLO


@nasty()
def address_route():
    return with_field(b"Cc", b"<@a.example,@b.example:carl@example.com>")


@nasty(1 << 20)
def address_long(size):
    return with_field(b"Cc", b"c" * size + b"@example.com")


@nasty()
def address_idn():
    return DATE + "From: J\u00f6rg <j\u00f6rg@b\u00fccher.example>\nTo: x@xn--bcher-kva.example\n\n".encode() + HELLO


# What senders write, and the address and name that a reader sees there.
FROMS = ((b"Foo foo@example.com", "foo@example.com", "Foo"),
         ("Wei\u00df foo@example.com".encode(), "foo@example.com", "Wei\u00df"),
         (b"=?utf-8?q?Foo?= foo@example.com", "foo@example.com", "Foo"),
         (b"Foo [Bar] <foo@example.com>", "foo@example.com", "Foo [Bar]"),
         (b"Foo) Bar <foo@example.com>", "foo@example.com", "Foo) Bar"),
         (b"Foo (Bar <foo@example.com>", "foo@example.com", "Foo Bar"),
         (b"Foo; Bar <foo@example.com>", "foo@example.com", "Foo; Bar"),
         (b"Foo, Bar <foo@example.com>", "foo@example.com", "Foo, Bar"),
         (b"Foo <foo..bar.@example.com>", "foo..bar.@example.com", "Foo"),
         (b".foo@example.com", ".foo@example.com", ""),
         (b'O"Brien <foo@example.com>', "foo@example.com", "O Brien"),
         (b"<foo@example.com", "foo@example.com", ""),
         (b"foo@example.com>", "foo@example.com", ""),
         (b"Foo <<foo@example.com>>", "foo@example.com", "Foo"),
         (b"Foo <mailto:foo@example.com>", "foo@example.com", "Foo"),
         (b"foo@example.com (Foo)", "foo@example.com", "Foo"),
         (b'"bar@example.com" <foo@example.com>', "foo@example.com", "bar@example.com"),
         (b"=?utf-8?q?Foo_=3Cfoo=40example.com=3E?=", "foo@example.com", "Foo"))


@nasty(0)
def from_line(which):
    return DATE + b"From: " + FROMS[which][0] + b"\n\n" + HELLO


@nasty()
def address_injection():
    return (DATE + b"From: =?utf-8?q?Ann=0D=0ABcc:_eve=40example.com?= <ann@example.com>\n"
            b"To: =?utf-8?b?AAECAwQ=?= <bob@example.com>\n"
            b"Subject: =?utf-8?q?one=0D=0Atwo=00three?=\n\n") + HELLO


# ---- structure ----

@nasty(100000)
def parts(count):
    """count leaf parts, the multipart not counted."""
    return mixed([text_part()] + [file_part(b"f.bin", b"%d" % i) for i in range(count - 1)])


@nasty(9800000)
def tiny_parts(size):
    return MIME + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * (size // 7)


@nasty(9800000)
def tiny_parts_digest(size):
    return MIME + b"Content-Type: multipart/digest; boundary=b\n\n" + b"--b\n\n\n\n" * (size // 7)


@nasty(100000)
def nested_multipart(depth):
    """depth multiparts, each in the one before; a text in the innermost."""
    lines = [b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (i, i) for i in range(depth)]
    ends = [b"\n--%d--\n" % i for i in reversed(range(depth))]
    return MIME + b"".join(lines) + text_part() + b"".join(ends)


@nasty(100000)
def nested_same_boundary(depth):
    return MIME + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * depth + text_part()


@nasty(100000)
def nested_message(depth):
    return MIME + b"Content-Type: message/rfc822\n\n" * depth + b"Subject: inner\n\n" + HELLO


@nasty(20000)
def nested_both(depth):
    lines = [b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n'
             b"Content-Type: message/rfc822\n\n" % (i, i) for i in range(depth)]
    return MIME + b"".join(lines) + text_part()


@nasty(50)
def nested_alternative(depth):
    """A text and an HTML part at each level."""
    inner = b"Content-Type: text/html\n\n<p>hello from the body</p>\n"
    for i in range(depth):
        inner = (b'Content-Type: multipart/alternative; boundary="%d"\n\n--%d\n' % (i, i)
                 + text_part() + b"\n--%d\n" % i + inner + b"\n--%d--\n" % i)
    return MIME + inner


@nasty()
def unterminated():
    return mixed([text_part(), file_part(b"a.bin")], end=False)


@nasty()
def unterminated_everything():
    return (TOP + b'MIME-Version: 1.0 (\nContent-Type: multipart/mixed; boundary="b\n\n--b\n'
            b'Content-Type: text/plain; charset="utf-8\n\nhello from the body\n--b\n'
            b'Content-Type: image/png; name="a.png\nContent-Transfer-Encoding: base64\n\nAAA')


@nasty()
def cut_in_header():
    return MIME + b"Content-Type: multipart/mixed; bound"


@nasty()
def cut_in_part_header():
    return mixed([text_part()], end=False) + b"--b\nContent-Ty"


@nasty()
def wrong_boundary():
    return (MIME + b"Content-Type: multipart/mixed; boundary=right\n\n--wrong\n" + text_part()
            + b"--wrong--\n")


@nasty()
def no_boundary():
    return MIME + b"Content-Type: multipart/mixed\n\n--b\n" + text_part() + b"--b--\n"


@nasty()
def boundary_empty():
    return MIME + b'Content-Type: multipart/mixed; boundary=""\n\n--\n' + text_part() + b"----\n"


@nasty()
def boundary_spaces():
    return MIME + b'Content-Type: multipart/mixed; boundary="a b  "\n\n--a b  \n' + text_part() + b"--a b  --\n"


@nasty(10 << 10)
def boundary(size):
    return mixed([text_part(), file_part(b"a.bin")], boundary=b"b" * size)


@nasty(1 << 20)
def boundary_huge(size):
    return mixed([text_part(), file_part(b"a.bin")], boundary=b"b" * size)


@nasty(5000)
def boundaries(count):
    """count multiparts side by side in one, each with its own boundary."""
    return mixed([b"Content-Type: multipart/mixed; boundary=x%d\n\n--x%d\n" % (i, i) + text_part()
                  + b"--x%d--\n" % i for i in range(count)])


@nasty(200000)
def boundary_lookalikes(count):
    return mixed([text_part(HELLO + b"--b-\n--bb\n--\n---b\n" * count)])


@nasty()
def boundary_prefix():
    """The inner boundary begins with the outer one."""
    return mixed([b"Content-Type: multipart/mixed; boundary=bb\n\n--bb\n" + text_part() + b"\n--bb--\n",
                  file_part(b"a.bin")])


@nasty(70)
def boundary_hanging(size):
    """GMime's g_mime_multipart_get_boundary() makes one up, and writes the Content-Type anew to
    set it: a parameter name of 65 to 71 bytes with a value that needs RFC 2231 never ends."""
    return MIME + b"Content-Type: multipart/mixed; " + b"a" * size + b"=\xc3\xa4\xc3\xa4\n\n" + HELLO


@nasty()
def parts_after_end():
    return mixed([text_part()]) + b"--b\n" + file_part(b"late.bin")


@nasty()
def only_preamble():
    return MIME + b"Content-Type: multipart/mixed; boundary=b\n\n" + HELLO


@nasty()
def empty_multipart():
    return MIME + b"Content-Type: multipart/mixed; boundary=b\n\n--b--\n"


@nasty()
def only_epilogue():
    return MIME + b"Content-Type: multipart/mixed; boundary=b\n\n--b--\n" + HELLO


@nasty()
def preamble_and_empty_part():
    return MIME + b"Content-Type: multipart/mixed; boundary=b\n\n" + HELLO + b"--b\n\n\n--b--\n"


@nasty()
def multipart_encoded():
    """A multipart in base64: forbidden, seen."""
    inner = b"--b\n" + text_part() + b"--b--\n"
    return (MIME + b"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(inner))


@nasty()
def message_encoded():
    return (MIME + b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(b"Subject: inner\n\n" + HELLO))


@nasty(100000)
def message_partial(count):
    return (MIME + b"Content-Type: message/partial; number=%d; total=%d; id=x\n\n" % (count, count)
            + HELLO)


# ---- parameters and names ----

@nasty(100000)
def rfc2231_flood(count):
    name = b"".join(b" filename*%d=a;\n" % i for i in range(count))
    return mixed([text_part(), b"Content-Type: image/png\nContent-Disposition: attachment;\n" + name
                  + b" x=y\n\nfile\n"])


@nasty(100000)
def rfc2231_backwards(count):
    name = b"".join(b" filename*%d=a;\n" % i for i in reversed(range(count)))
    return mixed([text_part(), b"Content-Type: image/png\nContent-Disposition: attachment;\n" + name
                  + b" x=y\n\nfile\n"])


@nasty(100000)
def rfc2231_gaps(count):
    name = b"".join(b" filename*%d*=%%41;\n" % (i * 20011) for i in range(count))
    return mixed([text_part(), b"Content-Type: image/png\nContent-Disposition: attachment;\n" + name
                  + b" x=y\n\nfile\n"])


@nasty(100000)
def parameters_flood(count):
    return mixed([text_part(), b"Content-Type: image/png;\n" + b"".join(b" p%d=v;\n" % i for i in range(count))
                  + b" name=a.png\n\nfile\n"])


@nasty(100000)
def top_parameters_flood(count):
    return (MIME + b"Content-Type: text/plain;\n" + b"".join(b" p%d=v;\n" % i for i in range(count))
            + b" charset=utf-8\n\n" + HELLO)


@nasty(300)
def filename(size):
    """A name of size bytes."""
    return mixed([text_part(), file_part(b"n" * (size - 4) + b".bin")])


@nasty(1 << 20)
def filename_huge(size):
    return filename(size)


@nasty(1 << 20)
def filename_percent(size):
    return mixed([text_part(), b"Content-Type: image/png\nContent-Disposition: attachment; filename*=utf-8''"
                  + b"%C3%A4" * (size // 6) + b"\n\nfile\n"])


# What senders write, and the media type that is meant.
TYPES = ((b"image/ jpeg", "image/jpeg"), (b"IMAGE/JPEG", "image/jpeg"), (b'"image/jpeg"', "image/jpeg"),
         (b"image/jpeg name=a.jpg", "image/jpeg"), (b"(c) image (c) / (c) jpeg (c)", "image/jpeg"),
         (b"image/jpeg/x", "image/jpeg"), (b"image/jpeg>", "image/jpeg"), (b"text", "text/plain"),
         (b"\xc3\xa1/\xc3\xa9", "application/octet-stream"), (b"/", "application/octet-stream"),
         (b"", "application/octet-stream"), (b"x" * 100000 + b"/", "application/octet-stream"))


@nasty(0)
def content_type(which):
    return mixed([text_part(), b"Content-Disposition: attachment; filename=a.bin\nContent-Type: "
                  + TYPES[which][0] + b"\n\nfile\n"])


NAMES = (b"../../etc/passwd", b"/etc/passwd", b"C:\\windows\\system32\\a.exe", b"..", b".", b"",
         b"a\0b.png", b"a\tb.png", b".htaccess", b"con", b"NUL.txt", b"a/../../b.png", b"photo\xe2\x80\xaegnp.exe",
         b"a:b.png", b"trailing. . ", b"   ", b"\xff\xfe.bin", b"a\x1b[31m.png", b"....", b"/", b"~",
         b"-rf", b"a<b>c.png", b"x.png\\", b"x.png/", b"\xef\xbb\xbfbom.txt", b"=?utf-8?q?=2E=2E=2Fup?=",
         b"=?utf-8?b?Li4vLi4vdXA=?=", b"e\xcc\x81.txt", b"\xed\xa0\x80.txt", b"\xc0\xae\xc0\xae/up")


@nasty()
def filenames():
    return mixed([text_part()] + [file_part(name) for name in NAMES])


@nasty()
def filenames_2231():
    def quoted(name):
        return b"".join(b"%%%02X" % c for c in name)
    return mixed([text_part()] + [
        b"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename*=utf-8''"
        + quoted(name) + b"\n\nfile\n" for name in NAMES])


@nasty(200)
def attachments(count):
    return mixed([text_part()] + [file_part(b"a%d.bin" % i, b"%d" % i) for i in range(count)])


# ---- transfer encodings ----

@nasty()
def base64_garbage():
    data = b"!!aGVs##bG8gZnJv\n%%%%\nbSB0aGUgYm9ke\x00Q==\nAAAA====A\n"
    return MIME + b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + data


@nasty(5 << 20)
def base64_noise(size):
    return (MIME + b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + b"!" * size)


@nasty(1000000)
def base64_one_per_line(count):
    return MIME + b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + b"A\n" * count


@nasty(2000000)
def qp_soft_breaks(count):
    return (MIME + b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
            + b"=\n" * count + HELLO)


@nasty(2000000)
def qp_equals(count):
    return (MIME + b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
            + b"=" * count + b"\n" + HELLO)


@nasty()
def unknown_encoding():
    return MIME + b"Content-Type: text/plain\nContent-Transfer-Encoding: x-zip\n\n" + HELLO


@nasty(1 << 20)
def encoding_long(size):
    return MIME + b"Content-Type: text/plain\nContent-Transfer-Encoding: " + b"x" * size + b"\n\n" + HELLO


@nasty(1000000)
def uuencode_begins(count):
    return MIME + b"Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\n" + b"begin 644 a\n" * count


@nasty(3000000)
def uuencode_body(size):
    return (MIME + b"Content-Type: application/octet-stream\nContent-Transfer-Encoding: x-uuencode\n\n"
            b"begin 644 a\n" + b"M" * size + b"\nend\n")


@nasty()
def uuencode_file():
    """Blank lines before "begin", as some senders put them."""
    return (MIME + b"Content-Type: application/octet-stream; name=a.bin\n"
            b"Content-Transfer-Encoding: x-uuencode\n\n\nbegin 644 a.bin\n$9FEL90``\n`\nend\n")


@nasty()
def uuencode_none():
    return MIME + b"Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\n" + HELLO


@nasty(50000)
def uuencode_in_text(count):
    return TOP + b"\n" + HELLO + b"begin 644 a\n#86)C\n`\nend\n" * count


@nasty(100000)
def yenc_in_text(count):
    return TOP + b"\n" + HELLO + b"=ybegin line=128 size=1 name=a\nk\n=yend size=1\n" * count


# ---- texts ----

def html(body):
    return MIME + b"Content-Type: text/html; charset=utf-8\n\n" + body


@nasty(100000)
def html_divs(depth):
    return html(b"<div>" * depth + HELLO)


@nasty(100000)
def html_tables(depth):
    return html(b"<table><tr><td>" * depth + HELLO)


@nasty(100000)
def html_inline(depth):
    return html(b"<b><i><a href=x>" * depth + HELLO)


@nasty(100000)
def html_blockquotes(depth):
    return html(b"<blockquote>" * depth + HELLO)


@nasty(5000)
def html_blockquotes_lines(depth):
    """Quoting a deep line costs its depth: lines times depth."""
    return html(b"<blockquote>" * depth + b"<p>x</p>" * 20000 + HELLO)


@nasty(100000)
def html_lists(depth):
    return html(b"<ul><li>" * depth + HELLO)


@nasty(20 << 20)
def html_big(size):
    line = b"<p>Some <b>words</b> and a <a href=\"http://example.com/\">link</a>.</p>\n"
    body = HELLO + line * (size // len(line))
    return html(body[:size - 1].ljust(size - 1) + b"\n")


@nasty(20 << 20)
def html_tags_only(size):
    return html(HELLO + b"<br>" * (size // 4))


@nasty(5 << 20)
def html_angles(size):
    return html(HELLO + b"<" * size)


@nasty(5 << 20)
def html_ampersands(size):
    return html(HELLO + b"&" * size)


@nasty(200000)
def html_entities(count):
    return html(HELLO + b"&#x110000;&#0;&#xD800;&amp;&nosuch;&#99999999999;" * count)


@nasty(5 << 20)
def html_comment_open(size):
    return html(HELLO + b"<!--" + b"-" * size)


@nasty(100000)
def html_attributes(count):
    return html(b"<p " + b"".join(b"a%d=x " % i for i in range(count)) + b">" + HELLO)


@nasty(20000)
def html_same_attributes(count):
    return html(b"<p " + b"a=x " * count + b">" + HELLO)


@nasty(5 << 20)
def html_long_link(size):
    return html(b'<a href="http://example.com/' + b"x" * size + b'">link</a>' + HELLO)


@nasty()
def html_entities_bomb():
    return html(b'<!DOCTYPE h [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
                b'<!ENTITY c "&b;&b;&b;&b;&b;&b;">]><p>&c;</p>' + HELLO)


@nasty()
def html_meta_charset():
    return (MIME + b'Content-Type: text/html; charset=utf-8\n\n<html><head><meta charset="utf-16">'
            b'</head><body>hello from the body \xc3\xa4</body></html>\n')


@nasty(20 << 20)
def text_big(size):
    """A text of size bytes."""
    return TOP + b"\n" + (HELLO * (size // len(HELLO) + 1))[:size - 1] + b"\n"


@nasty(200000)
def quotes_deep(count):
    return (MIME + b"Content-Type: text/plain; format=flowed\n\n" + HELLO
            + b">" * count + b" x \n" + b">" * count + b" y\n")


@nasty(1000000)
def flowed_lines(count):
    return MIME + b"Content-Type: text/plain; format=flowed; delsp=yes\n\n" + HELLO + b"x \n" * count


@nasty(500000)
def flowed_levels(count):
    return MIME + b"Content-Type: text/plain; format=flowed\n\n" + HELLO + b"> x \n>> y \n" * count


@nasty(3000)
def text_parts(count):
    return mixed([text_part()] * count)


# ---- charsets ----

def charset(label, text):
    return MIME + b"Content-Type: text/plain; charset=" + label + b"\nContent-Transfer-Encoding: 8bit\n\n" + text


@nasty(10 << 10)
def charset_long(size):
    return charset(b"x" * size, HELLO)


@nasty()
def charset_utf7():
    return charset(b"utf-7", HELLO + b"+ADw-script+AD4- +AAA- +2AA-\n")


@nasty()
def charset_utf16():
    return charset(b"utf-16", b"\xff\xfe" + HELLO.decode().encode("utf-16-le"))


@nasty()
def charset_utf16_odd():
    return charset(b"utf-16", b"\xff\xfe" + HELLO.decode().encode("utf-16-le") + b"\x00")


@nasty()
def charset_utf16_base64():
    return (MIME + b"Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(b"\xff\xfe" + HELLO.decode().encode("utf-16-le")))


@nasty()
def charset_utf32():
    return charset(b"utf-32", HELLO.decode().encode("utf-32"))


@nasty()
def charset_lies():
    return charset(b"us-ascii", HELLO + "gr\u00fc\u00dfe\n".encode())


@nasty()
def charset_lies_utf8():
    return charset(b"utf-8", HELLO + b"gr\xfc\xdfe\n")


@nasty()
def charset_unknown():
    return charset(b"x-klingon", HELLO + b"gr\xfc\xdfe\n")


@nasty()
def charset_path():
    return charset(b"../../../../etc/passwd", HELLO)


@nasty()
def charset_translit():
    return charset(b'"utf-8//TRANSLIT//IGNORE"', HELLO + b"\xff\n")


@nasty()
def utf8_surrogates():
    return charset(b"utf-8", HELLO + b"\xed\xa0\x80\xed\xb0\x80 \xed\xbf\xbf\n")


@nasty()
def utf8_overlong():
    return charset(b"utf-8", HELLO + b"\xc0\x80\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf\n")


@nasty()
def utf8_beyond():
    return charset(b"utf-8", HELLO + b"\xf4\x90\x80\x80\xf8\x88\x80\x80\x80\xfe\xff\n")


@nasty()
def utf8_bom():
    return charset(b"utf-8", b"\xef\xbb\xbf" + HELLO)


@nasty()
def utf8_noncharacters():
    return charset(b"utf-8", HELLO + "\ufffe\uffff\U0010ffff\ufdd0\u2028\u2029\x01\x7f\n".encode())


@nasty()
def bom_first():
    return b"\xef\xbb\xbf" + TOP + b"\n" + HELLO


@nasty()
def utf16_mail():
    return (TOP + b"\n" + HELLO).decode().encode("utf-16")


@nasty(3 << 20)
def iso2022_escapes(size):
    return charset(b"iso-2022-jp", HELLO + b"\x1b$B\x1b(B" * (size // 6))


@nasty(1000)
def charsets_many(count):
    return mixed([b"Content-Type: text/plain; charset=x-%d\n\n" % i + HELLO for i in range(count)])


# ---- lines, dates, kin ----

@nasty()
def crlf():
    return mixed([text_part(), file_part(b"a.bin")]).replace(b"\n", b"\r\n")


@nasty()
def cr_only():
    return mixed([text_part(), file_part(b"a.bin")]).replace(b"\n", b"\r")


@nasty()
def mixed_ends():
    pieces = mixed([text_part(), file_part(b"a.bin")]).split(b"\n")
    ends = (b"\n", b"\r\n", b"\r\r\n")
    return b"".join(p + ends[i % 3] for i, p in enumerate(pieces))


@nasty()
def mbox_from():
    return b"From ann@example.com Mon Jan  1 00:00:00 2024\n" + TOP + b"\n" + HELLO


@nasty()
def mbox_from_quoted():
    return b">From ann@example.com Mon Jan  1 00:00:00 2024\n" + TOP + b"\n" + HELLO


@nasty()
def from_line_in_body():
    return TOP + b"\n" + HELLO + b"\nFrom here on it is body\nlast line\n"


DATES = (b"Mon, 1 Jan 99999999999 00:00:00 +0000", b"Mon, 99 Foo 2024 99:99:99 +9999",
         b"Thu, 1 Jan 1970 00:00:00 +99999999999999999999", b"-1 Jan -1 -1:-1:-1 -0000",
         b"1 Jan 0 00:00:00", b"x" * 181, b"Mon, 1 Jan 2024 00:00:00 +0000 (" + b"(" * 140,
         b"31 Feb 2024 25:61:61 +0000", b"", b"Sat, 1 Jan 292277026597 00:00:00 +0000",
         b"9" * 100000, b"Mon, " * 30000, b"\xff\xfe\x00", b"1 Jan 2147483648 00:00:00 -2147483648")


@nasty(0)
def date(which):
    return b"From: ann@example.com\nDate: " + DATES[which] + b"\n\n" + HELLO


# ---- TNEF (MS-OXTNEF) ----

TNEF_SIGNATURE = 0x223E9F78


def tnef_attribute(level, name, data, size=None, checksum=None):
    if checksum is None:
        checksum = sum(data) & 0xFFFF
    return (struct.pack("<BII", level, name, len(data) if size is None else size) + data
            + struct.pack("<H", checksum))


def tnef(*attributes):
    return struct.pack("<IH", TNEF_SIGNATURE, 1) + b"".join(attributes)


def tnef_mail(data):
    return mixed([text_part(), file_part(b"winmail.dat", data, b"application/ms-tnef")])


TNEF_START = (tnef_attribute(1, 0x00089006, struct.pack("<I", 0x10000)),
              tnef_attribute(1, 0x00069007, struct.pack("<II", 1252, 0)))
ATTACH_REND, ATTACH_TITLE, ATTACH_DATA = 0x00069002, 0x00018010, 0x0006800F
ATTACH_PROPERTIES, MESSAGE_PROPERTIES = 0x00069005, 0x00069003


def tnef_file(name, data):
    return (tnef_attribute(2, ATTACH_REND, struct.pack("<HIHHI", 1, 0xFFFFFFFF, 32, 32, 0))
            + tnef_attribute(2, ATTACH_TITLE, name + b"\0") + tnef_attribute(2, ATTACH_DATA, data))


@nasty()
def tnef_good():
    return tnef_mail(tnef(*TNEF_START, tnef_file(b"inner.txt", b"inner file")))


@nasty(5000)
def tnef_files(count):
    return tnef_mail(tnef(*TNEF_START, *(tnef_file(b"f%d" % i, b"x") for i in range(count))))


@nasty(0x7FFFFFFF)
def tnef_size_lie(size):
    return tnef_mail(tnef(*TNEF_START, tnef_attribute(2, ATTACH_DATA, b"x", size=size)))


@nasty(0x7FFFFFFF)
def tnef_property_lie(count):
    """A MAPI property list that says it has count entries, and a string of count bytes."""
    block = struct.pack("<I", count) + struct.pack("<II", 0x3001001E, 1) + struct.pack("<I", count) + b"x" * 64
    return tnef_mail(tnef(*TNEF_START, tnef_attribute(1, MESSAGE_PROPERTIES, block)))


@nasty(0x7FFFFFFF)
def tnef_multivalue_lie(count):
    block = struct.pack("<I", 1) + struct.pack("<III", 0x3001101E, count, 4) + b"abc\0"
    return tnef_mail(tnef(*TNEF_START, tnef_attribute(1, MESSAGE_PROPERTIES, block)))


def compressed_rtf(raw_size, body):
    header = struct.pack("<III", len(body) + 12, raw_size, 0x75465A4C)
    return header + struct.pack("<I", 0) + body


def tnef_rtf(data):
    block = (struct.pack("<I", 1) + struct.pack("<II", 0x10090102, 1) + struct.pack("<I", len(data)) + data
             + b"\0" * (-len(data) % 4))
    return tnef_mail(tnef(*TNEF_START, tnef_attribute(1, MESSAGE_PROPERTIES, block)))


@nasty(0x7FFFFFF0)
def tnef_rtf_lie(size):
    """Compressed RTF that says it unpacks to size bytes."""
    return tnef_rtf(compressed_rtf(size, b"\x00{\\rtf1 x}"))


@nasty(1 << 20)
def tnef_rtf_bomb(size):
    """Compressed RTF of size bytes that unpacks to about nine times as much."""
    return tnef_rtf(compressed_rtf(size * 9, (b"\xff" + struct.pack(">H", 0x000F) * 8) * (size // 17)))


@nasty(200)
def tnef_nested(depth):
    inner = tnef(*TNEF_START, tnef_file(b"inner.txt", b"inner file"))
    for _ in range(depth):
        inner = tnef(*TNEF_START, tnef_file(b"winmail.dat", inner))
    return tnef_mail(inner)


@nasty()
def tnef_truncated():
    data = tnef(*TNEF_START, tnef_file(b"inner.txt", b"inner file"))
    return tnef_mail(data[:len(data) - 9])


@nasty()
def tnef_garbage():
    return tnef_mail(struct.pack("<IH", TNEF_SIGNATURE, 1) + bytes(range(256)) * 40)


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(sorted(GENERATORS)))
        return 0
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in GENERATORS:
        print(__doc__, file=sys.stderr)
        return 64
    sys.stdout.buffer.write(mail(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else None))
    return 0


if __name__ == "__main__":
    sys.exit(main())
