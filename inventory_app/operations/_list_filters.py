"""What a list can be narrowed down by: each filter reads its text in an address, and says what it asks of the rows.

A filter's condition is built once for each *shape* (which option, which end of a range) and holds parameters; what a
view asks for becomes the values of those parameters. Building a statement costs more than running it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.errors import Invalid
from inventory_app.models._base import sort_key
from inventory_app.operations._paging import Key, like_escaped, storable
from inventory_app.permissions import Permission

Condition = sa.ColumnElement[bool]
#: The shape of what is asked, and the values of its parameters.
Asked = tuple[Hashable, dict[str, Any]]

LONGEST_TEXT = 100
_MOST_WORDS = 8
_MOST_CHOSEN = 50
_NOT = "!"
_TO = ".."
_NUMBER = sa.Numeric(28, 7)
#: Before the point of a number that is looked for.
_DIGITS = 15


#: From how like on a word is another one mistyped (`word_similarity`), and how much less like than the likest.
_LEAST_LIKE = 0.4
_ABOUT_AS_LIKE = 0.85
_SHORTEST_NEAR = 3
_MOST_TURNED = 12
#: A lexicon has words of so many letters; so many of them are looked for instead of one.
_SHORTEST_KNOWN, _MOST_ALIKE = 4, 8
_LIKENESS = sa.text("SELECT set_config('pg_trgm.word_similarity_threshold', :least, true)")


class How(StrEnum):
    """In which way the search box finds: all there is; what stands first, and the others; what is spelt alike."""

    WHOLE = ""
    FIRST = "first"
    OTHERS = "others"
    NEAR = "near"


class _Shaped(NamedTuple):
    """The shape of a search in one of its ways."""

    how: How
    asked: Any


@dataclass(frozen=True, slots=True)
class Asking:
    """In which transaction a list is asked, and where the reader's day begins."""

    session: Session
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Filter(ABC):
    """One thing a list can be narrowed down by; `needs` names the joins of its list that the condition uses.

    `quiet` filters have a control of their own on the page (tabs), so they get neither chip nor field.
    """

    kind: ClassVar[str] = ""

    key: str
    label: str
    needs: tuple[str, ...] = ()
    permission: Permission | None = None
    quiet: bool = False

    @abstractmethod
    def tidied(self, text: str) -> str:
        """Return the text of an address as this filter writes it; empty when it asks for nothing."""
        ...

    @abstractmethod
    def ask(self, asking: Asking, text: str) -> Asked:
        """Return what a tidied text asks for."""
        ...

    @abstractmethod
    def condition(self, shape: Any) -> Condition:
        """Build the condition of a shape."""
        ...

    def gathered(self, form: Mapping[str, str]) -> str:
        """Return the text that a form's fields `<key>` and `<key>:<part>` stand for; raises `Invalid`."""
        return self.tidied(form.get(self.key, ""))

    def parts(self, text: str) -> dict[str, str]:
        """Return what the fields of a form hold for a tidied text, the reverse of `gathered`."""
        return {self.key: text} if text else {}

    def said(self, text: str, labels: Mapping[str, str]) -> tuple[str, str]:
        """Return a tidied text as a chip says it: operator and value; `labels` names what is chosen from."""
        return "is", labels.get(text, text)

    def _name(self, part: str = "") -> str:
        return f"{self.key}_{part}" if part else self.key


@dataclass(frozen=True, kw_only=True)
class OneOf(Filter):
    """One of a few options, each with a condition of its own; `values` gives their parameters."""

    kind: ClassVar[str] = "one"

    options: Mapping[str, Condition]
    words: Mapping[str, str]
    operator: str = "is"
    values: Callable[[Asking, str], dict[str, Any]] | None = None

    def tidied(self, text: str) -> str:
        """Return the option, if it is one."""
        return text if text in self.options else ""

    def ask(self, asking: Asking, text: str) -> Asked:
        """Every option is a shape."""
        return text, self.values(asking, text) if self.values else {}

    def condition(self, shape: Any) -> Condition:
        """Return the option's condition."""
        return self.options[shape]

    def said(self, text: str, labels: Mapping[str, str]) -> tuple[str, str]:  # noqa: ARG002  # as of every filter
        """Say the option in words."""
        return self.operator, self.words.get(text, text)


@dataclass(frozen=True, kw_only=True)
class AnyOf(Filter):
    """Any, or none, of several chosen values: `matches` makes the condition of an array of them."""

    kind: ClassVar[str] = "many"

    matches: Callable[[Any], Condition]
    type_: type = int

    def tidied(self, text: str) -> str:
        """Return the values in order, each once, those that cannot be any left out."""
        negated, chosen = self._chosen(text)
        return self._written(chosen, negated=negated)

    def _written(self, chosen: Sequence[str], *, negated: bool) -> str:
        kept = sorted({value for value in chosen if self._possible(value)}, key=_in_order)[:_MOST_CHOSEN]
        return (_NOT if negated else "") + ",".join(map(_packed, kept)) if kept else ""

    def _possible(self, value: str) -> bool:
        if self.type_ is int:
            return value.isascii() and value.isdigit() and len(value) < 19  # noqa: PLR2004  # fits bigint
        return 0 < len(value) <= LONGEST_TEXT and "\0" not in value

    def _chosen(self, text: str) -> tuple[bool, list[str]]:
        return text.startswith(_NOT), [_unpacked(part) for part in text.removeprefix(_NOT).split(",") if part]

    def ask(self, asking: Asking, text: str) -> Asked:  # noqa: ARG002  # as of every filter
        """Ask with one array, whatever the number of values."""
        negated, chosen = self._chosen(text)
        return negated, {self._name(): [self.type_(value) for value in chosen]}

    def condition(self, shape: Any) -> Condition:
        """Match the array, or everything else: rows without a value are not any of them."""
        item = sa.BigInteger() if self.type_ is int else sa.Text()
        matched = self.matches(sa.bindparam(self._name(), type_=sa.ARRAY(item)))
        return sa.not_(sa.func.coalesce(matched, sa.false())) if shape else matched

    def gathered(self, form: Mapping[str, str]) -> str:
        """Take the ticked boxes `<key>:<value>` together."""
        prefix = f"{self.key}:="
        chosen = [name.removeprefix(prefix) for name in form if name.startswith(prefix)]
        return self._written(chosen, negated=form.get(f"{self.key}:not") == "1")

    def parts(self, text: str) -> dict[str, str]:
        """Tick the boxes of the values."""
        negated, chosen = self._chosen(text)
        return {f"{self.key}:={value}": "on" for value in chosen} | ({f"{self.key}:not": "1"} if negated else {})

    def said(self, text: str, labels: Mapping[str, str]) -> tuple[str, str]:
        """Say it as a sentence: "is not Showroom", "is any of Beverages, Dairy"."""
        negated, chosen = self._chosen(text)
        several = len(chosen) > 1
        operator = ("is none of" if several else "is not") if negated else "is any of" if several else "is"
        return operator, ", ".join(labels.get(value, value) for value in chosen)


@dataclass(frozen=True, kw_only=True)
class Contains(Filter):
    """A text that occurs in a column, whatever its case; in a sort key (`folded`) whatever its accents, too."""

    kind: ClassVar[str] = "text"

    column: Key
    folded: bool = True

    def tidied(self, text: str) -> str:
        """Return the text without what stands around it."""
        return text.strip()[:LONGEST_TEXT]

    def ask(self, asking: Asking, text: str) -> Asked:  # noqa: ARG002  # as of every filter
        """Ask for the text literally."""
        return True, {self._name(): f"%{like_escaped(sort_key(text) if self.folded else text)}%"}

    def condition(self, shape: Any) -> Condition:  # noqa: ARG002  # there is one
        """Look in the column."""
        text = sa.bindparam(self._name(), type_=sa.Text())
        return self.column.like(text) if self.folded else self.column.ilike(text)

    def said(self, text: str, labels: Mapping[str, str]) -> tuple[str, str]:  # noqa: ARG002  # as of every filter
        """Say the text."""
        return "contains", text


@dataclass(frozen=True, kw_only=True)
class Range(Filter):
    """A number from, to, or between two, both included: "5..", "..20", "5..20"."""

    kind: ClassVar[str] = "range"

    column: Key

    def tidied(self, text: str) -> str:
        """Return both ends as plain numbers; an end that is no number is left out."""
        low, _, high = text.partition(_TO)
        return self._written(_number(low), _number(high))

    def _written(self, low: Decimal | None, high: Decimal | None) -> str:
        return "" if low is None and high is None else f"{_plain(low)}{_TO}{_plain(high)}"

    def ask(self, asking: Asking, text: str) -> Asked:  # noqa: ARG002  # as of every filter
        """Ask for the ends that are there."""
        low, _, high = text.partition(_TO)
        ends = {self._name(part): Decimal(end) for part, end in (("low", low), ("high", high)) if end}
        return (bool(low), bool(high)), ends

    def condition(self, shape: Any) -> Condition:
        """Compare with the ends that are there."""
        low, high = shape
        conditions = [self.column >= sa.bindparam(self._name("low"), type_=_NUMBER)] if low else []
        if high:
            conditions.append(self.column <= sa.bindparam(self._name("high"), type_=_NUMBER))
        return sa.and_(*conditions)

    def gathered(self, form: Mapping[str, str]) -> str:
        """Read both ends; raises `Invalid` beside the one that is no number, or when they are the wrong way round."""
        ends, wrong = list[Decimal | None](), dict[str, str]()
        for part in ("from", "to"):
            name = f"{self.key}:{part}"
            typed = form.get(name, "").strip()
            ends.append(_number(typed))
            if typed and ends[-1] is None:
                wrong[name] = "Enter a number such as 12 or 12.5."
        low, high = ends
        if low is not None and high is not None and low > high:
            wrong[f"{self.key}:to"] = f"Enter {_plain(low)} or more, or leave it empty."
        if wrong:
            raise Invalid(fields=wrong)
        return self._written(low, high)

    def parts(self, text: str) -> dict[str, str]:
        """Fill both ends."""
        low, _, high = text.partition(_TO)
        return {f"{self.key}:{part}": end for part, end in (("from", low), ("to", high)) if end}

    def said(self, text: str, labels: Mapping[str, str]) -> tuple[str, str]:  # noqa: ARG002  # as of every filter
        """Say the ends that are there."""
        low, _, high = text.partition(_TO)
        if low and high:
            return "is", low if low == high else f"{low} to {high}"
        return ("at least", low) if low else ("at most", high)


@dataclass(frozen=True, kw_only=True)
class Words(Filter):
    """The search box: every word must be found; `word` asks for one of them and `finds` builds its condition.

    `word(asking, text)` returns a shape and values by parameter; the condition's parameters are named
    `<parameter>_<number of the word>`, which `finds(shape, name)` gets as a function.
    """

    kind: ClassVar[str] = "search"

    word: Callable[[Asking, str], Asked]
    finds: Callable[[Any, Callable[[str], str]], Condition]
    #: A whole phrase is one word.
    phrase: bool = False
    #: Folded texts and codes: rows of which one begins with the whole text, or is it, stand first.
    begins: tuple[Key, ...] = ()
    codes: tuple[Key, ...] = ()
    #: The folded text in which words are looked for that are spelt alike, when no row has those that were typed.
    near: Key | None = None
    #: The words those texts have, each once, where a table holds them: these are compared instead, which are few.
    lexicon: Key | None = None

    def tidied(self, text: str) -> str:
        """Return the text as it was typed, so that the search box keeps it."""
        return text[:LONGEST_TEXT] if text.strip() else ""

    def ask(self, asking: Asking, text: str) -> Asked:
        """Ask for each of the words; more than eight narrow nothing down any more."""
        words = [text.strip()] if self.phrase else sort_key(text).split()[:_MOST_WORDS]
        shapes, values = list[Hashable](), dict[str, Any]()
        for number, word in enumerate(words):
            shape, own = self.word(asking, word)
            shapes.append(shape)
            values |= {f"{name}_{number}": value for name, value in own.items()}
        return tuple(shapes), values

    def ask_as(self, asking: Asking, text: str, how: How) -> Asked | None:
        """Return what a text asks for in one of the ways; None when nothing can be found in that way."""
        if how == How.NEAR:
            return self._ask_near(asking, text)
        shape, values = self.ask(asking, text)
        if how == How.WHOLE:
            return shape, values
        first = {"search_begins": f"{like_escaped(sort_key(text))}%", "search_code": storable(text.strip())}
        return _Shaped(how, shape), values | first

    def _ask_near(self, asking: Asking, text: str) -> Asked | None:
        words = sort_key(storable(text)).split()[:_MOST_WORDS]
        if self.near is None or not words or min(map(len, words)) < _SHORTEST_NEAR:
            return None
        if self.lexicon is not None and not any(map(self._may_be_mistyped, words)):
            return None
        asking.session.execute(_LIKENESS, {"least": str(_LEAST_LIKE)})
        values, shapes = dict[str, Any](), list[Hashable]()
        for number, word in enumerate(words):
            found = self._near_word(asking, word) if self.lexicon is None else self._known_words(asking, word)
            if found is None:
                return None
            shapes.append(found[0])
            values |= {f"{name}_{number}": value for name, value in found[1].items()}
        return _Shaped(How.NEAR, tuple(shapes)), values

    def _near_word(self, asking: Asking, word: str) -> Asked | None:
        turned = _turned(word)
        asked: dict[str, Any] = {f"turned{at}": f"%{like_escaped(one)}%" for at, one in enumerate(turned)}
        asked["near"] = word
        found, likeness = self._likeness(self.near, len(turned), lambda name: name)
        likest = asking.session.execute(sa.select(sa.func.max(likeness)).where(found), asked).scalar_one()
        # Only what is about as like as the likest: with three letters in common there is always something.
        return None if likest is None else (len(turned), asked | {"least": likest * _ABOUT_AS_LIKE})

    @staticmethod
    def _may_be_mistyped(word: str) -> bool:
        # Shorter words, and codes, are not in the lexicon.
        return word.isalpha() and len(word) >= _SHORTEST_KNOWN

    def _known_words(self, asking: Asking, word: str) -> Asked | None:
        """Ask for the known words that are about as like as the likest; a code is like nothing but itself."""
        known, text = [word], self.lexicon
        if text is not None and self._may_be_mistyped(word):
            turned = _turned(word)
            asked: dict[str, Any] = {f"turned{at}": f"%{like_escaped(one)}%" for at, one in enumerate(turned)}
            found, likeness = self._likeness(text, len(turned), lambda name: name)
            alike = likeness.label("alike")
            likest = sa.select(text, alike).where(found).order_by(alike.desc(), text).limit(_MOST_ALIKE)
            rows = asking.session.execute(likest, asked | {"near": word}).all()
            known = [row[0] for row in rows if row[1] >= rows[0][1] * _ABOUT_AS_LIKE]
        patterns = {f"known{at}": f"%{like_escaped(one)}%" for at, one in enumerate(known)}
        return (len(known), patterns) if known else None

    @staticmethod
    def _likeness(text: Any, turns: int, name: Callable[[str], str]) -> tuple[Condition, sa.ColumnElement[float]]:
        """Return which rows have a word like this one, and how like; one with two letters turned round is as good."""
        word = sa.bindparam(name("near"), type_=sa.Text())
        # One by one: an index knows nothing of arrays of patterns.
        turned = [text.like(sa.bindparam(name(f"turned{at}"), type_=sa.Text())) for at in range(turns)]
        likeness = sa.case((sa.or_(sa.false(), *turned), sa.literal(1.0)), else_=sa.func.word_similarity(word, text))
        return sa.or_(word.op("<%", is_comparison=True)(text), *turned), likeness

    def _first(self) -> Condition:
        text, code = (sa.bindparam(name, type_=sa.Text()) for name in ("search_begins", "search_code"))
        first = sa.or_(*(one.like(text) for one in self.begins), *(one == code for one in self.codes))
        return sa.func.coalesce(first, sa.false())

    def condition(self, shape: Any) -> Condition:
        """Find every word, in the way that was asked for."""
        if isinstance(shape, _Shaped):
            if shape.how == How.NEAR:
                near = [self._is_near(one, lambda name, n=n: f"{name}_{n}") for n, one in enumerate(shape.asked)]
                return sa.and_(*near)
            first = self._first()
            return sa.and_(self.condition(shape.asked), first if shape.how == How.FIRST else sa.not_(first))
        found = [self.finds(one, lambda name, n=number: f"{name}_{n}") for number, one in enumerate(shape)]
        return sa.and_(sa.true(), *found)

    def _is_near(self, number: int, name: Callable[[str], str]) -> Condition:
        if self.lexicon is not None:
            text: Any = self.near
            return sa.or_(*(text.like(sa.bindparam(name(f"known{at}"), type_=sa.Text())) for at in range(number)))
        found, likeness = self._likeness(self.near, number, name)
        return sa.and_(found, likeness >= sa.bindparam(name("least"), type_=sa.Float()))


def _turned(word: str) -> list[str]:
    """Return a word with each two neighbours turned round: the slip that leaves the fewest trigrams."""
    turns = min(len(word) - 1, _MOST_TURNED)
    return [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(turns) if word[at] != word[at + 1]]


def _in_order(value: str) -> tuple[int, str]:
    return len(value) if value.isdigit() else 0, value


def _packed(value: str) -> str:
    return value.replace("%", "%25").replace(",", "%2C").replace(_NOT, "%21")


def _unpacked(part: str) -> str:
    return part.replace("%21", _NOT).replace("%2C", ",").replace("%25", "%")


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return round(number, 4) if number.is_finite() and number.adjusted() < _DIGITS else None


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"
