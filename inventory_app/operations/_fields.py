"""Text that people type, checked field by field, so that everything wrong is said at once.

What can be kept is kept as it was typed: any script, either direction, emoji. What cannot be
stored or cannot be seen (control characters, characters that reverse the text around them) is
refused with a sentence, never dropped silently.
"""

import re
import unicodedata

from inventory_app.errors import Invalid

#: Nothing to see, or able to make one name look like another. Marks that scripts need (joiners,
#: left-to-right and right-to-left marks) are not among them.
_HIDDEN = frozenset("\u00ad\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANKS = re.compile(r"[ \u00a0\t\r\n]+")
_LINE_BREAKS = "\n\t"
_EMPTY = "Please fill this in."
REASON_LENGTH = 1_000


def unusable(text: str, *, lines: bool = False) -> str:
    """Say what in `text` cannot be kept; empty when all of it can."""
    for character in text:
        if character in _HIDDEN:
            return "There is an invisible character in it. Type it anew instead of pasting it."
        if unicodedata.category(character) in ("Cc", "Cs") and not (lines and character in _LINE_BREAKS):
            return "There is a character in it that cannot be stored. Type it anew instead of pasting it."
    return ""


class Fields:
    """The faults of one form: read every field, then `check()`."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}

    def line(
        self,
        name: str,
        value: str,
        *,
        most: int = 200,
        required: bool = False,
        pattern: re.Pattern[str] | None = None,
        sentence: str = "",
    ) -> str | None:
        """Take one line; blanks become None, runs of blanks one blank. `pattern` not met says `sentence`."""
        return self._take(name, value, most, required, pattern, sentence, lines=False)

    def text(self, name: str, value: str, *, most: int = 2_000, required: bool = False) -> str | None:
        """Take several lines; blanks become None."""
        return self._take(name, value, most, required, None, "", lines=True)

    def check(self) -> None:
        """Raise `Invalid` with a sentence for every field that is wrong."""
        if self.faults:
            raise Invalid(fields=self.faults)

    def _take(
        self,
        name: str,
        value: str,
        most: int,
        required: bool,  # noqa: FBT001  # passed on by the two above
        pattern: re.Pattern[str] | None,
        sentence: str,
        *,
        lines: bool,
    ) -> str | None:
        # The length first: nothing below is for a megabyte.
        if len(value) > most:
            self.faults[name] = f"Use at most {most:,} characters; this has {len(value):,}."
            return None
        tidy = value.replace("\r\n", "\n").strip() if lines else _BLANKS.sub(" ", value).strip()
        tidy = unicodedata.normalize("NFC", tidy)
        if fault := unusable(tidy, lines=lines):
            self.faults[name] = fault
        elif not tidy:
            if required:
                self.faults[name] = _EMPTY
            return None
        elif pattern is not None and not pattern.fullmatch(tidy):
            self.faults[name] = sentence
        return tidy


def checked_reason(reason: str, *, missing: str = "") -> str | None:
    """Return the reason of a decision; `missing` is the sentence when there must be one."""
    fields = Fields()
    taken = fields.text("reason", reason, most=REASON_LENGTH)
    if missing and taken is None:
        fields.faults.setdefault("reason", missing)
    fields.check()
    return taken
