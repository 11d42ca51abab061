"""Archives that hide names, lie about them, are bombs or take long to read, as generators of nasty.py."""

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import zipfile
import zlib

import nasty
from nasty import file_part, mixed, text_part

KB = 1 << 10
MB = 1 << 20
# Made by p7zip 16.02 of notes.txt (6 bytes), grün.txt (3, in plain.7z), setup/run.exe (300) and the empty directory
# example.com: 7z a plain.7z, 7z a -psecret locked.7z, 7z a -psecret -mhe=on hidden.7z, 7z a -tzip -psecret locked.zip.
ARCHIVES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "archives")
DOS_DATE = 0x21


def archive(name):
    with open(os.path.join(ARCHIVES, name), "rb") as file:
        return file.read()


def archive_mail(data, name=b"a.zip"):
    return mixed([text_part(), file_part(name, data)])


# ---- ZIP, header by header ----

def local(name, data=b"", extra=b"", size=None, flags=0):
    size = len(data) if size is None else size
    return struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags, 0, 0, DOS_DATE, zlib.crc32(data), len(data), size,
                       len(name), len(extra)) + name + extra + data


def directory(name, offset, data=b"", extra=b"", size=None, flags=0):
    size = len(data) if size is None else size
    return struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, flags, 0, 0, DOS_DATE, zlib.crc32(data), len(data), size,
                       len(name), len(extra), 0, 0, 0, 0, offset) + name + extra


def end(count, size, offset, comment=b""):
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, min(count, 0xFFFF), min(count, 0xFFFF), size, offset,
                       len(comment)) + comment


def zip_of(files, comment=b"", hidden=b""):
    """files: (name in front of the file, name in the directory, data) or a name; hidden: between both."""
    files = [(f, f, b"x") if isinstance(f, bytes) else f for f in files]
    front, back = bytearray(), bytearray()
    for name, other, data in files:
        back += directory(other, len(front), data)
        front += local(name, data)
    front += hidden
    return bytes(front + back) + end(len(files), len(back), len(front), comment)


def written(names, data=b"x", mode=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", mode) as file:
        for name in names:
            file.writestr(name, data)
    return out.getvalue()


@nasty.nasty()
def zip_plain():
    return archive_mail(written(["setup/run.exe", "example.com/a.txt", "gr\u00fcn.txt"]))


@nasty.nasty()
def zip_any_name():
    return archive_mail(written(["run.exe"]), b"photo.jpg")


@nasty.nasty()
def zip_legacy_name():
    return archive_mail(zip_of([b"gr\x81n.txt"]))


@nasty.nasty()
def zip_front_lies():
    return archive_mail(zip_of([(b"fine.txt", b"run.exe", b"x")]))


@nasty.nasty()
def zip_directory_lies():
    return archive_mail(zip_of([(b"run.exe", b"fine.txt", b"x")]))


@nasty.nasty()
def zip_not_in_directory():
    return archive_mail(zip_of([b"fine.txt"], hidden=local(b"run.exe", b"x")))


@nasty.nasty()
def zip_two_directories():
    return archive_mail(zip_of([b"run.exe"]) + zip_of([b"fine.txt"]))


@nasty.nasty()
def zip_in_comment():
    return archive_mail(zip_of([b"fine.txt"], comment=zip_of([b"run.exe"])))


@nasty.nasty()
def zip_unicode_name():
    extra = struct.pack("<HHBI", 0x7075, 5 + 7, 1, zlib.crc32(b"fine.txt")) + b"run.exe"
    front = local(b"fine.txt", b"x", extra)
    back = directory(b"fine.txt", 0, b"x", extra)
    return archive_mail(front + back + end(1, len(back), len(front)))


@nasty.nasty()
def zip_nul_name():
    return archive_mail(zip_of([b"run.exe\0.txt"]))


@nasty.nasty()
def zip_paths():
    return archive_mail(zip_of([b"../../etc/run.exe", b"C:\\Windows\\dll.dll", b"/abs.txt", b"..", b"dots. . ", b"dir/",
                                b"\xe2\x80\xaegpj.scr", b"CON", b"a\r\nb.txt"]))


@nasty.nasty(65535)
def zip_long_name(size):
    return archive_mail(zip_of([b"a" * (size - 4) + b".exe"]))


@nasty.nasty(100000)
def zip_entries(count):
    return archive_mail(zip_of([b"%d.txt" % i for i in range(count)]))


@nasty.nasty(100000)
def zip_same_entry(count):
    """All of the directory's entries are one file."""
    front = local(b"a.txt", b"x")
    back = directory(b"a.txt", 0, b"x") * count
    return archive_mail(front + back + end(count, len(back), len(front)))


@nasty.nasty(8 * MB)
def zip_overlapping(size):
    """Headers whose names reach over all that follow."""
    one = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, DOS_DATE, 0, 1, 1, 65535, 0, 0, 0, 0, 0, 0)
    back = one * (size // len(one))
    front = local(b"a.txt", b"x")
    return archive_mail(front + back + end(65535, len(back), len(front)))


@nasty.nasty(16 * MB)
def zip_signature_flood(size):
    return archive_mail(local(b"a.txt", b"PK" * (size // 2)))


@nasty.nasty()
def zip_deflate_bomb():
    """A gigabyte, it says, and 10 MB in truth."""
    packed = zlib.compress(bytes(10 * MB))[2:-4]
    head = (20, 0, 8, 0, DOS_DATE, 0, len(packed), 1 << 30, 5, 0)
    front = struct.pack("<4s5H3I2H", b"PK\3\4", *head) + b"a.exe" + packed
    back = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, *head, 0, 0, 0, 0, 0) + b"a.exe"
    return archive_mail(front + back + end(1, len(back), len(front)))


@nasty.nasty(0)
def zip_cut(size):
    return archive_mail(written(["a.txt", "run.exe"])[:size])


@nasty.nasty()
def zip_empty():
    return archive_mail(end(0, 0, 0))


@nasty.nasty()
def zip_behind_other():
    return archive_mail(b"\xff\xd8\xff\xe0" + bytes(100) + zip_of([b"run.exe"]))


@nasty.nasty()
def zip_in_zip():
    return archive_mail(written(["inner.zip"], written(["run.exe"] * 1), zipfile.ZIP_DEFLATED))


def office():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("_rels/.rels", "<Relationships/>")
        file.writestr("word/document.xml", "<document/>" * 100)
        file.writestr("run.exe", "x")
    return out.getvalue()


@nasty.nasty()
def office_document():
    return archive_mail(office(), b"letter.docx")


@nasty.nasty()
def office_as_zip():
    return archive_mail(office(), b"letter.zip")


# ---- tar ----

def tar_of(names, data=b"x", form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as file:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


def with_size(field):
    """A tar file whose first file has this size."""
    head = bytearray(tar_of(["a.txt", "run.exe"]))
    head[124:136] = field
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head[:512])
    return bytes(head)


@nasty.nasty()
def tar_plain():
    return archive_mail(tar_of(["../setup/run.exe", "gr\u00fcn.txt", "x" * 300 + ".scr"]), b"a.tar")


@nasty.nasty()
def tar_gnu():
    return archive_mail(tar_of(["x" * 300 + ".scr"], form=tarfile.GNU_FORMAT), b"a.tar")


@nasty.nasty()
def tar_unnamed():
    """Nothing tells that it is one before it is decoded."""
    return archive_mail(tar_of(["run.exe"]), b"data")


@nasty.nasty(0)
def tar_cut(size):
    return archive_mail(tar_of(["a.txt", "run.exe"], bytes(2000))[:size], b"a.tar")


@nasty.nasty()
def tar_size_huge():
    return archive_mail(with_size(b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7), b"a.tar")


@nasty.nasty()
def tar_size_negative():
    return archive_mail(with_size(b"\xff" * 12), b"a.tar")


@nasty.nasty(20000)
def tar_entries(count):
    return archive_mail(gzip.compress(tar_of(["%d.txt" % i for i in range(count)], b"")), b"a.tgz")


@nasty.nasty()
def tar_xz():
    return archive_mail(lzma.compress(tar_of(["run.exe"])), b"a.tar.xz")


def packed_zeros(size, then, pack):
    """A tar file with a file of so many zeros and one behind it."""
    info = tarfile.TarInfo("zeros")
    info.size = size
    parts = [info.tobuf(tarfile.PAX_FORMAT)]
    parts += [bytes(MB)] * (size // MB) + [bytes(size % MB)]
    parts += [then]
    return b"".join(pack(part) for part in parts) + pack(b"", True)


def deflater():
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return lambda data, last=False: packer.flush() if last else packer.compress(data)


@nasty.nasty(64 * MB)
def tar_gz_bomb(size):
    """What is in front of the name that matters."""
    return archive_mail(packed_zeros(size, tar_of(["run.exe"]), deflater()), b"a.tar.gz")


@nasty.nasty(64 * MB)
def tar_xz_bomb(size):
    packer = lzma.LZMACompressor(preset=0)
    return archive_mail(packed_zeros(size, tar_of(["run.exe"]),
                                     lambda data, last=False: packer.flush() if last else packer.compress(data)),
                        b"a.tar.xz")


@nasty.nasty(10)
def gz_in_gz(depth):
    data = bytes(4 * MB)
    for _ in range(depth):
        data = gzip.compress(data, 9)
    return archive_mail(data, b"a.gz")


@nasty.nasty()
def gz_file():
    out = io.BytesIO()
    with gzip.GzipFile("inner.exe", "wb", fileobj=out, mtime=0) as file:
        file.write(b"x" * 1000)
    return archive_mail(out.getvalue(), b"outer.scr.gz")


@nasty.nasty()
def gz_cut():
    return archive_mail(gzip.compress(tar_of(["a.txt", "run.exe"], os.urandom(4000)))[:3000], b"a.tar.gz")


@nasty.nasty()
def xz_dictionary():
    """Asks for the largest dictionary that there is: 4 GB."""
    packed = bytearray(lzma.compress(tar_of(["run.exe"])))
    at = packed.index(b"\x21\x01", 12) + 2
    packed[at] = 40
    head = packed[12:12 + (packed[12] + 1) * 4 - 4]
    packed[12 + len(head):12 + len(head) + 4] = struct.pack("<I", zlib.crc32(head))
    return archive_mail(bytes(packed), b"a.tar.xz")


# ---- 7z ----

@nasty.nasty()
def seven_plain():
    return archive_mail(archive("plain.7z"), b"a.7z")


@nasty.nasty()
def seven_locked():
    return archive_mail(archive("locked.7z"), b"a.7z")


@nasty.nasty()
def seven_hidden():
    return archive_mail(archive("hidden.7z"), b"a.7z")


@nasty.nasty(0)
def seven_cut(size):
    return archive_mail(archive("plain.7z")[:size], b"a.7z")


def number7(value):
    return b"\xff" + struct.pack("<Q", value)


def seven_of(header, packed=b""):
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


@nasty.nasty(1 << 62)
def seven_header_size(size):
    start = struct.pack("<QQI", 0, size, 0)
    return archive_mail(b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + bytes(100), b"a.7z")


@nasty.nasty(1 << 31)
def seven_files(count):
    """Header, FilesInfo: so many, and nothing of them."""
    return archive_mail(seven_of(b"\1\5" + number7(count) + b"\0\0"), b"a.7z")


@nasty.nasty(1 << 31)
def seven_folders(count):
    return archive_mail(seven_of(b"\1\4\6" + number7(0) + number7(1) + b"\x09" + number7(1) + b"\0\7\x0b"
                                 + number7(count) + b"\0"), b"a.7z")


def seven_packed(packed, size, coder):
    """One with a packed header, by a single coder, that says to be of that size."""
    return seven_of(b"\x17\6" + number7(0) + number7(1) + b"\x09" + number7(len(packed)) + b"\0"
                    + b"\7\x0b" + number7(1) + b"\0" + number7(1) + coder
                    + b"\x0c" + number7(size) + b"\0\0", packed)


def dummy_header(size):
    """The beginning of a header of one file with so much of nothing about it (dummy)."""
    return b"\1\5\1\x0e\1\x80\x19" + number7(size - 100)


@nasty.nasty(512 * MB)
def seven_header_bomb(size):
    """A header that is packed; more than 64 MB it only says."""
    start = dummy_header(size)
    packer = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "preset": 0, "dict_size": MB}])
    packed = packer.compress(start) + b"".join(packer.compress(bytes(MB)) for _ in range(min(size // MB, 64))) + packer.flush()
    coder = b"\x23\3\1\1\5\x5d" + struct.pack("<I", MB)
    return archive_mail(seven_packed(packed, size + len(start), coder), b"a.7z")


def seven_slow_header(size):
    """By bzip2, of what it is slowest with."""
    start = dummy_header(size)
    letters = random.Random(1).choices(b"ab", k=64 << 10)
    data = (start + bytes(letters) * (size // len(letters) + 1))[:size]
    return seven_packed(bz2.compress(data), size, b"\3\4\2\2")


@nasty.nasty(8 * MB)
def seven_slow(size):
    return archive_mail(seven_slow_header(size), b"a.7z")


@nasty.nasty(100)
def seven_slow_ones(count):
    """Each is small enough, all together are more than the parser has time for."""
    return mixed([text_part()] + [file_part(b"%d.7z" % i, seven_slow_header(250000)) for i in range(count)])


@nasty.nasty()
def seven_odd_header():
    """Two folders, of which the second one is as large as it wants."""
    header = (b"\x17\6" + number7(0) + number7(1) + b"\x09" + number7(1) + b"\0\7\x0b" + number7(2) + b"\0"
              + (number7(1) + b"\1\0") * 2 + b"\x0c" + number7(1) + number7(1 << 40) + b"\0\0")
    return archive_mail(seven_of(header, b"x"), b"a.7z")


# ---- cabinets ----

def cab_of(names, count=None):
    """Files without contents, but for the first."""
    files = b"".join(struct.pack("<IIHHHH", int(i == 0), int(i > 0), 0, 0, 0, 0x20) + name + b"\0"
                     for i, name in enumerate(names))
    data = struct.pack("<IHH", 0, 1, 1) + b"x"
    offset = 36 + 8
    total = offset + len(files) + len(data)
    return (struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, total, 0, offset, 0, 3, 1, 1,
                        len(names) if count is None else count, 0, 0, 0)
            + struct.pack("<IHH", offset + len(files), 1, 0) + files + data)


@nasty.nasty()
def cab_plain():
    return archive_mail(cab_of([b"setup\\run.exe"]), b"a.cab")


@nasty.nasty(65535)
def cab_count_lie(count):
    return archive_mail(cab_of([b"run.exe"], count), b"a.cab")


@nasty.nasty(65535)
def cab_entries(count):
    return archive_mail(cab_of([b"%d" % i for i in range(count)]), b"a.cab")


# ---- what is not looked into ----

@nasty.nasty()
def rar_file():
    return archive_mail(b"Rar!\x1a\7\1\0" + bytes(100), b"a.rar")


@nasty.nasty()
def iso_image():
    """Its first 32 KB are anybody's: here a tar file."""
    return archive_mail(tar_of(["fine.txt"])[:20480].ljust(32768, b"\0") + b"\1CD001\1" + bytes(4096), b"a.iso")


@nasty.nasty()
def iso_as_zip():
    return archive_mail(bytes(32768) + b"\1CD001\1" + bytes(4096))


@nasty.nasty()
def text_as_zip():
    return archive_mail(b"Nothing but text.\n")


@nasty.nasty()
def nothing_as_zip():
    return archive_mail(b"")


@nasty.nasty()
def bz2_file():
    return archive_mail(bz2.compress(tar_of(["run.exe"])), b"a.tar.bz2")


# ---- of a mail ----

@nasty.nasty(1000)
def archives_of_a_mail(count):
    """Two with half of so many files each; odd: one more in the second."""
    half = count // 2
    return mixed([text_part(), file_part(b"a.zip", zip_of([b"%d" % i for i in range(half)])),
                  file_part(b"b.tgz", gzip.compress(tar_of(["%d" % i for i in range(count - half)], b"")))])
