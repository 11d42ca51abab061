"""Images that lie about their sizes, are bombs, or take long to read, as generators of nasty.py."""

import os
import struct
import zlib

import nasty
from nasty import file_part, mixed, text_part

MB = 1 << 20
IMAGES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "images")


def image(name):
    with open(os.path.join(IMAGES, name), "rb") as file:
        return file.read()


def image_mail(data):
    return mixed([text_part(), file_part(b"photo", data, b"application/octet-stream")])


# ---- JPEG ----

def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg_with(segments):
    whole = image("baseline.jpg")
    return image_mail(whole[:2] + segments + whole[2:])


@nasty.nasty(8 * MB)
def jpeg_exif_flood(size):
    one = segment(0xE1, b"Exif\0\0" + bytes(65000))
    return jpeg_with(one * (size // len(one)))


@nasty.nasty(8 * MB)
def jpeg_comment_flood(size):
    return jpeg_with(segment(0xFE, b"x") * (size // 5))


@nasty.nasty(65535)
def jpeg_side(side):
    whole = bytearray(image("baseline.jpg"))
    frame = whole.index(b"\xff\xc0")
    struct.pack_into(">HH", whole, frame + 5, side, side)
    return image_mail(bytes(whole))


@nasty.nasty(8 * MB)
def jpeg_without_end(size):
    return image_mail(image("baseline.jpg")[:-2] + b"\xd9" * size)


@nasty.nasty(0)
def exif_offset(offset):
    """The first directory at any place: before itself, within itself, nowhere."""
    tiff = b"II" + struct.pack("<HI", 42, offset) + struct.pack("<HHHII", 1, 0x112, 3, 1, 6)
    return jpeg_with(segment(0xE1, b"Exif\0\0" + tiff + struct.pack("<I", 8)))


@nasty.nasty(0xFFFFFFFF)
def exif_count(count):
    tiff = b"II" + struct.pack("<HI", 42, 8) + struct.pack("<HHHII", 1, 0x112, 3, count, 6)
    return jpeg_with(segment(0xE1, b"Exif\0\0" + tiff))


@nasty.nasty(5000)
def exif_entries(count):
    """Each of them has all of the data."""
    data = b"".join(struct.pack("<HHII", 0x9000 + i % 2000, 7, 60000, 8) for i in range(count))
    tiff = b"II" + struct.pack("<HI", 42, 8) + struct.pack("<H", count) + data
    return jpeg_with(segment(0xE1, (b"Exif\0\0" + tiff)[:65000]))


@nasty.nasty(1000)
def exif_directories(count):
    """A chain of directories that ends where it began."""
    tiff = b"II" + struct.pack("<HI", 42, 8)
    for i in range(count):
        tiff += struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8 + (i + 1) % count * 18, 8)
    return jpeg_with(segment(0xE1, b"Exif\0\0" + tiff))


# ---- PNG ----

def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(chunks):
    whole = image("rgb.png")
    return image_mail(whole[:33] + chunks + whole[33:])


@nasty.nasty(8 * MB)
def png_chunk_flood(size):
    return png_with(chunk(b"tEXt", b"a\0b") * (size // 15))


@nasty.nasty(8 * MB)
def png_exif_large(size):
    return png_with(chunk(b"eXIf", b"II*\0" + bytes(size)))


@nasty.nasty(256 * MB)
def png_profile_bomb(size):
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(MB)) for _ in range(size // MB)) + packer.flush()
    return png_with(chunk(b"iCCP", b"x\0\0" + data))


@nasty.nasty(0x7FFFFFFF)
def png_chunk_lie(size):
    return png_with(struct.pack(">I", size) + b"eXIf")


# ---- GIF ----

GIF_START = b"GIF89a" + struct.pack("<HHBBB", 16, 16, 0, 0, 0)


@nasty.nasty(8 * MB)
def gif_extension_flood(size):
    return image_mail(GIF_START + b"!\xfe\x01x\0" * (size // 5) + b";")


@nasty.nasty(8 * MB)
def gif_block_flood(size):
    frame = b"," + struct.pack("<HHHHB", 0, 0, 16, 16, 0) + b"\x02"
    return image_mail(GIF_START + frame + b"\x01x" * (size // 2) + b"\0;")


@nasty.nasty(8 * MB)
def gif_frame_flood(size):
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x01\x44\0"
    return image_mail(GIF_START + frame * (size // len(frame)) + b";")


# ---- WebP ----

def riff(chunks):
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def webp_chunk(name, data, size=None):
    return name + struct.pack("<I", len(data) if size is None else size) + data + b"\0" * (len(data) % 2)


@nasty.nasty(8 * MB)
def webp_chunk_flood(size):
    whole = image("extended.webp")
    return image_mail(riff(whole[12:] + webp_chunk(b"ABCD", b"") * (size // 8)))


@nasty.nasty(0xFFFFFFF6)
def webp_size_lie(size):
    whole = image("extended.webp")
    return image_mail(whole[:4] + struct.pack("<I", size) + whole[8:])


# ---- HEIC ----

def box(name, data, size=None):
    return struct.pack(">I", len(data) + 8 if size is None else size) + name + data


def full(name, data):
    return box(name, bytes(4) + data)


HEIC_START = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
HANDLER = full(b"hdlr", bytes(4) + b"pict" + bytes(13))


@nasty.nasty(100000)
def heic_nested(depth):
    data = b""
    for _ in range(depth):
        data = struct.pack(">I", len(data) + 8) + b"ipco" + data
        if len(data) > 4 * MB:
            break
    return image_mail(HEIC_START + full(b"meta", HANDLER + box(b"iprp", data)))


@nasty.nasty(8 * MB)
def heic_box_flood(size):
    return image_mail(HEIC_START + full(b"meta", HANDLER + box(b"iprp", box(b"ipco", box(b"free", b"")
                                                                            * (size // 8)))))


@nasty.nasty(0xFFFFFFFF)
def heic_size_lie(size):
    return image_mail(HEIC_START + box(b"meta", bytes(4) + HANDLER, size))


@nasty.nasty(0xFFFF)
def heic_count_lie(count):
    items = full(b"iinf", struct.pack(">H", count))
    places = full(b"iloc", struct.pack(">HH", 0x4400, count))
    links = full(b"iprp", full(b"ipma", struct.pack(">I", count)))
    return image_mail(HEIC_START + full(b"meta", HANDLER + full(b"pitm", b"\0\x01") + items + places + links))


@nasty.nasty(0x7FFFFFFF)
def heic_side(side):
    whole = bytearray(image("plain.heic"))
    for at in range(len(whole)):
        if whole[at:at + 4] == b"ispe":
            struct.pack_into(">II", whole, at + 8, side, side)
    return image_mail(bytes(whole))
