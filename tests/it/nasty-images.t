#!/usr/bin/python3
# Images that lie about their sizes, are bombs or are made to take long: the mail arrives as a mail.
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from nasty_test import Suite  # noqa: E402
import nasty_images  # noqa: E402,F401

suite = Suite()


def image(width=None, height=None, orientation=1):
    wanted = width and {"Width": width, "Height": height, "Orientation": orientation}

    def see(document):
        got = document["Attachments"][0].get("Image")
        return None if got == wanted else "Image: %r" % got
    return see


def add(name, *arguments, see=image(), **more):
    suite.add(name, *arguments, see=see, defects=[], **more)


add("jpeg-exif-flood", see=image(48, 32))
add("jpeg-comment-flood", see=image(48, 32))
add("jpeg-side", 15811, see=image(15811, 15811))
add("jpeg-side", 15812)
add("jpeg-side", 65535)
add("jpeg-side", 0)
add("jpeg-without-end")
for offset in (0, 4, 7, 9, 20, 0x7FFFFFFF, 0xFFFFFFFF):
    add("exif-offset", offset, see=image(48, 32))
add("exif-offset", 8, see=image(48, 32, 6))
for count in (0, 2, 0x7FFFFFFF, 0xFFFFFFFF):
    add("exif-count", count, see=image(48, 32))
add("exif-entries", see=image(48, 32))
add("exif-directories", see=image(48, 32))
add("png-chunk-flood", see=image(48, 32))
add("png-exif-large", see=image(48, 32))
add("png-profile-bomb", see=image(48, 32))
add("png-chunk-lie", 0x7FFFFFFF)
add("png-chunk-lie", 0xFFFFFFFF)
add("gif-extension-flood")
add("gif-block-flood", see=image(16, 16))
add("gif-frame-flood", see=image(16, 16))
add("webp-chunk-flood", see=image(48, 32, 6))
for size in (0, 4, 0x7FFFFFFF, 0xFFFFFFF6, 0xFFFFFFFF):
    add("webp-size-lie", size)
add("heic-nested")
add("heic-box-flood")
for size in (0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFF):
    add("heic-size-lie", size)
for count in (0, 1, 0xFFFF):
    add("heic-count-lie", count)
for side in (0, 0x7FFFFFFF, 0xFFFFFFFF):
    add("heic-side", side)
suite.run()
