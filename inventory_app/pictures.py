"""Making a picture ours: whatever was sent is decoded, cropped and encoded anew, and nothing else of it is kept."""

import hashlib
import io
import warnings
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from inventory_app.errors import Invalid

#: What may be sent, and what becomes of it: a square that is sharp on any screen.
LARGEST_FILE = 5 * 2**20
SIDE = 256
MEDIA_TYPE = "image/webp"
_FORMATS = ("JPEG", "PNG", "WEBP")
#: 40 megapixels: no camera's picture is refused, and no small file unpacks into gigabytes.
_MOST_PIXELS = 40_000_000
#: What makes a picture upright, by its EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WRONG = "This is not a picture we can read. Use a JPEG, PNG or WebP file."


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept."""

    content: bytes
    media_type: str
    sha256: str


def encode(sent: bytes) -> Picture:
    """Return the picture in `sent`, upright and square; slow: never on the event loop."""
    if len(sent) > LARGEST_FILE:
        raise Invalid(f"This picture is too large: at most {LARGEST_FILE // 2**20} MB.")
    try:
        with warnings.catch_warnings():
            # Pillow warns of sizes, which we look at ourselves, and of each odd tag of an EXIF, which fills the log.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(sent), formats=_FORMATS) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise Invalid("This picture has too many pixels: at most 40 million.")
                upright = _upright(image).convert("RGB")
        square = ImageOps.fit(upright, (SIDE, SIDE), Image.Resampling.LANCZOS)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise Invalid(_WRONG) from error
    out = io.BytesIO()
    square.save(out, "WEBP", quality=82, method=4)
    content = out.getvalue()
    return Picture(content, MEDIA_TYPE, hashlib.sha256(content).hexdigest())


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF says, reading nothing else of that: Pillow's own way writes all of it anew first."""
    turned = image.getexif().get(ExifTags.Base.Orientation)
    method = _TURNS.get(turned) if isinstance(turned, int) else None
    return image if method is None else image.transpose(method)
