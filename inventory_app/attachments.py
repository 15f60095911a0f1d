"""Looking at a file that is to be kept with a record: what it is says its content, never its name or its sender.

A picture is decoded and encoded anew, and nothing else of it is kept. A document is kept as it is, if it is what it
looks like from its first byte to its last, and is only ever handed out as a download.
"""

import hashlib
import io
import re
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import PurePath

from PIL import Image, ImageOps, UnidentifiedImageError

from inventory_app.errors import Invalid

LARGEST_FILE = 10 * 2**20
LONGEST_NAME = 120
#: The longer side of a picture, and of the small one for lists.
SIDE, SMALL_SIDE = 1_600, 160
PICTURE = "image/webp"
_PICTURES = ("JPEG", "PNG", "WEBP")
_MOST_PIXELS = 40_000_000
#: What a spreadsheet may unpack to.
_MOST_UNPACKED = 200 * 2**20
_MOST_PARTS = 5_000
_NOT_A_PICTURE = "This is not a picture we can read. Use a JPEG, PNG or WebP file."
_NOT_A_DOCUMENT = "This is none of the files we keep. Use PDF, PNG, JPEG, CSV, XLSX or TXT."

_PDF, _PNG, _JPEG, _CSV, _TXT = "application/pdf", "image/png", "image/jpeg", "text/csv", "text/plain"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ENDINGS: dict[str, tuple[str, ...]] = {
    _PDF: (".pdf",),
    _PNG: (".png",),
    _JPEG: (".jpg", ".jpeg"),
    _CSV: (".csv",),
    _XLSX: (".xlsx",),
    _TXT: (".txt",),
    PICTURE: (".webp",),
}
#: Text that a browser could take for a page, should it ever ask itself.
_MARKUP = re.compile(rb"\s*(?:<\s*[!?a-z]|%!ps|\{\\rtf|#!)", re.IGNORECASE)
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\r\n\f") | {127}
_PDF_HEAD = re.compile(rb"%PDF-[12]\.\d")
_TAIL = 1_024


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it is kept; `thumbnail` of a picture only."""

    kind: str
    name: str
    media_type: str
    content: bytes
    thumbnail: bytes | None
    sha256: str


def examine(sent: bytes, name: str, *, kind: str) -> Attachment:
    """Return a file as it is to be kept, `kind` image or document; slow: never on the event loop."""
    if not sent:
        raise Invalid("This file is empty.")
    if len(sent) > LARGEST_FILE:
        raise Invalid(f"This file is too large: at most {LARGEST_FILE // 2**20} MB.")
    if kind == "image":
        picture = _decoded(sent, _PICTURES, _NOT_A_PICTURE).convert("RGB")
        content, thumbnail, media_type = _encoded(picture, SIDE), _encoded(picture, SMALL_SIDE), PICTURE
    else:
        content, thumbnail, media_type = sent, None, _media_type(sent, name)
    digest = hashlib.sha256(content).hexdigest()
    return Attachment(kind, safe_name(name, media_type), media_type, content, thumbnail, digest)


def safe_name(sent: str, media_type: str) -> str:
    """Return a name that is fit to be shown and saved, and ends as its content does."""
    base = sent.replace("\\", "/").rpartition("/")[2]
    # Format characters are not printable either: nothing turns the text around it.
    tidy = " ".join("".join(c if c.isprintable() and c not in '<>:"|?*' else " " for c in base).split()).strip(". ")
    endings = _ENDINGS[media_type]
    stem, ending = (tidy, "") if not PurePath(tidy).suffix else (PurePath(tidy).stem, PurePath(tidy).suffix)
    if ending.lower() not in endings:
        stem, ending = (stem if media_type == PICTURE else tidy), endings[0]
    return f"{(stem or 'file')[: LONGEST_NAME - len(ending)]}{ending}"


def _decoded(sent: bytes, formats: tuple[str, ...], sentence: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow warns of what it would decode up to twice the limit; we look at the size ourselves.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(sent), formats=formats) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise Invalid("This picture has too many pixels: at most 40 million.")
                return ImageOps.exif_transpose(image)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise Invalid(sentence) from error


def _encoded(picture: Image.Image, side: int) -> bytes:
    out, smaller = io.BytesIO(), picture.copy()
    smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
    smaller.save(out, "WEBP", quality=82, method=4)
    return out.getvalue()


def _media_type(sent: bytes, name: str) -> str:
    if _PDF_HEAD.match(sent):
        if b"%%EOF" not in sent[-_TAIL:]:
            raise Invalid("This PDF is cut off. Save it again, then send it.")
        return _PDF
    if sent.startswith(b"\x89PNG"):
        _decoded(sent, ("PNG",), _NOT_A_DOCUMENT)
        if not sent.endswith(b"IEND\xaeB\x60\x82"):
            raise Invalid("Something stands behind this picture in its file. Save it again, then send it.")
        return _PNG
    if sent.startswith(b"\xff\xd8\xff"):
        _decoded(sent, ("JPEG",), _NOT_A_DOCUMENT)
        if not sent.rstrip(b"\0").endswith(b"\xff\xd9"):
            raise Invalid("Something stands behind this picture in its file. Save it again, then send it.")
        return _JPEG
    if sent.startswith(b"PK\x03\x04"):
        return _spreadsheet(sent)
    if _MARKUP.match(sent.removeprefix(b"\xef\xbb\xbf")) or not _CONTROLS.isdisjoint(sent):
        raise Invalid(_NOT_A_DOCUMENT)
    return _CSV if name.lower().endswith(".csv") else _TXT


def _spreadsheet(sent: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(sent)) as packed:
            parts = packed.infolist()
            end = packed.start_dir
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Invalid(_NOT_A_DOCUMENT) from error
    names = {part.filename for part in parts}
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise Invalid(_NOT_A_DOCUMENT)
    if any(name.lower().endswith(("vbaproject.bin", ".exe", ".dll")) or ".." in name for name in names):
        raise Invalid("This spreadsheet holds programs. Save it as a plain XLSX file, then send it.")
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
        raise Invalid("This spreadsheet unpacks to more than we take. Send a smaller one.")
    if min(part.header_offset for part in parts) or end > len(sent):
        raise Invalid(_NOT_A_DOCUMENT)
    return _XLSX
