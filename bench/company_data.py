"""A company of any size, made up the same way every time: its catalogue, its places and what happened in two years.

Everything is put together from the number of a `Chunk` (200 products at 1,000 places), so that several processes can
make their parts of it side by side. What happened is told in rounds: the n-th movement of every item, then the next,
so that the movements of one item lie far apart in the table, as they do where a company books them day by day.
"""

import random
from array import array
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from uuid import UUID

from bench import company_words as words
from inventory_app.models._base import sort_key

PRODUCTS_A_CHUNK = 200
ITEMS_A_CHUNK = 1_000
DAYS = 730
LOCATIONS = 200
#: So many movements has the item to which the most happens.
BUSIEST = 10_000
_WHO = "system:bench"
NULL = "\\N"

KINDS = ("receipt", "issue", "adjustment", "transfer", "count", "reversal", "revaluation")
RECEIPT, ISSUE, ADJUSTMENT, TRANSFER, COUNT, REVERSAL, REVALUATION = range(7)
_REASONS = (
    ("delivered", "order"),
    ("sold", "order"),
    ("damaged", NULL),
    ("replenish", NULL),
    ("counted", NULL),
    ("correction", NULL),
    (NULL, NULL),
)
#: What happens to an item, by how often; revaluations come at the end.
_OFTEN = tuple(accumulate((22, 55, 6, 0, 6, 3)))

#: The columns of what `Chunk` gives rows for.
COLUMNS = {
    "location": "id,code,name,sort_key,kind,parent_id,active",
    "category": "id,code,name,sort_key,parent_id,active",
    "supplier": "id,name,sort_key,city,country,currency,status,source,submitted_at,version",
    "product": "id,sku,name,sort_key,search,description,category_id,unit_code,barcode,lots_kept,unit_cost,unit_price,"
    "currency,reorder_point,reorder_quantity,supplier_id,active,version,created_at",
    "supplier_product": "supplier_id,product_id,supplier_sku,cost,currency,purchase_unit,pack_size,minimum_quantity,"
    "lead_time_days,active,version,created_at",
    "product_price": "product_id,valid_from,old_price,new_price,currency,reason",
    "lot": "id,product_id,code,expires_on,created_at,version",
    "inventory_item": "id,product_id,location_id,lot_id,quantity,sequence,changed_at,changed_by",
    "reservation": "item_id,quantity,expires_at,reference,created_at,created_by",
    "stock_movement": "id,item_id,sequence,kind,quantity,unit_cost,value,reason_code,reference_type,reference,"
    "operation_id,occurred_at,reverses",
}


@dataclass(frozen=True)
class Company:
    """How large it is, and what was there before: identifiers begin after `first_location`."""

    items: int
    rounds: int = 10
    currency: str = "USD"
    first_location: int = 1
    today: datetime = datetime(2026, 11, 23, tzinfo=UTC)

    @property
    def chunks(self) -> int:
        """So many parts of 1,000 items."""
        return self.items // ITEMS_A_CHUNK

    @property
    def products(self) -> int:
        """So many products: each is at five places on average."""
        return self.chunks * PRODUCTS_A_CHUNK

    @property
    def begin(self) -> datetime:
        """When the company opened."""
        return self.today - timedelta(days=DAYS)

    @cached_property
    def _days(self) -> list[str]:
        return [f"{self.begin + timedelta(days=day):%Y-%m-%d}" for day in range(DAYS + 1)]

    def moment(self, turn: int, seed: int) -> str:
        """Return a working hour in the stretch of days a round is about, the same for the same seed."""
        mixed = (seed * 2_654_435_761 + turn * 40_503) & 0xFFFFFFFF
        stretch = DAYS / self.rounds
        day = self._days[int(turn * stretch + mixed % 9_973 / 9_973 * stretch)]
        return f"{day} {6 + mixed % 13:02}:{mixed // 13 % 60:02}:{mixed // 780 % 60:02}+00"


def gtin(number: int) -> str:
    """Return the EAN-13 of a number, with its check digit."""
    body = f"40{number:010}"
    return body + str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10)


# The tables that are small, whatever the size


def locations(company: Company) -> list[str]:
    """Return 200 places: sites, their zones, the bins in these, and places that are no storage."""
    begin, rows = company.first_location, list[str]()

    def add(code: str, name: str, kind: str, parent: int | None) -> int:
        number = begin + len(rows)
        rows.append(_row(number, code, name, sort_key(name), kind, NULL if parent is None else parent, "t"))
        return number

    zones: list[tuple[int, str, str]] = []
    for number, site in enumerate(words.SITES, 1):
        top = add(f"S{number}", site, "storage", None)
        zones += [
            (add(f"S{number}-{place}", f"{site}, {zone}", "storage", top), f"S{number}-{place}", f"{site}, {zone}")
            for place, zone in enumerate(words.ZONES, 1)
        ]
    for code, name, kind in (("TRANSIT", "On its way", "transit"), ("LOSS", "Lost and broken", "loss")):
        add(code, name, kind, None)
    turn = 0
    while len(rows) < LOCATIONS - 1:  # the first one is there already
        parent, code, name = zones[turn % len(zones)]
        rack = turn // len(zones) + 1
        add(f"{code}-{rack:02}", f"{name} {rack:02}", "storage", parent)
        turn += 1
    return rows


def bins(company: Company) -> tuple[list[int], list[float]]:
    """Return the places that hold stock, and how much each holds of all: a few hold much."""
    not_bins = len(words.SITES) * (1 + len(words.ZONES)) + 2
    found = list(range(company.first_location + not_bins, company.first_location + LOCATIONS - 1))
    return found, list(accumulate(1 / (place + 5) for place in range(len(found))))


def categories() -> list[str]:
    """Return a tree: what it is, of which kind, and how good."""
    rows: list[str] = []
    for top, (goods, kinds) in enumerate(words.GOODS.items(), 1):
        above = len(rows) + 1
        rows.append(_row(above, f"C{top:02}", goods, sort_key(goods), NULL, "t"))
        for number, kind in enumerate(kinds, 1):
            middle = len(rows) + 1
            rows.append(_row(middle, f"C{top:02}-{number}", f"{kind}s", sort_key(f"{kind}s"), above, "t"))
            for letter, grade in zip("ABC", words.GRADES, strict=False):
                name = f"{kind}s, {grade.lower()}"
                rows.append(_row(len(rows) + 1, f"C{top:02}-{number}{letter}", name, sort_key(name), middle, "t"))
    return rows


def leaves() -> list[tuple[int, str]]:
    """Return the categories that hold products, with the kind of thing that is in them."""
    found, number = list[tuple[int, str]](), 0
    for kinds in words.GOODS.values():
        number += 1
        for kind in kinds:
            found += [(number + 2 + grade, kind) for grade in range(3)]
            number += 4
    return found


def suppliers(company: Company) -> list[str]:
    """Return 250 suppliers, nearly all of them approved."""
    rows: list[str] = []
    for maker in words.MAKERS:
        for trade in words.TRADES:
            number = len(rows) + 1
            name = f"{maker} {trade}"
            status = "suspended" if number % 40 == 0 else "approved"
            city = words.SITES[number % len(words.SITES)]
            rows.append(
                _row(number, name, sort_key(name), city, "DE", company.currency, status, "staff", company.begin, 1)
            )
    return rows


def _row(*values: object) -> str:
    return "\t".join(str(value) for value in values)


# The item to which the most happens, after all others


def busiest(company: Company) -> dict[str, list[str]]:
    """Return its product, its price and the item itself, which in the end holds half as many as it has movements."""
    id_, sku, name = company.products + 1, "BUSIEST", "Parcel label, used all day"
    product = _row(id_, sku, name, sort_key(name), sort_key(f"{sku} {name}"), "", leaves()[0][0], "pcs", NULL, "f",
                   1, 2, company.currency, 0, 1, NULL, "t", 1, company.begin)  # fmt: skip
    place, held = bins(company)[0][0], BUSIEST // 2
    item = _row(company.items + 1, id_, place, NULL, held, BUSIEST, company.today, _WHO)
    price = _row(id_, company.begin, NULL, 2, company.currency, "First price")
    return {"product": [product], "product_price": [price], "inventory_item": [item]}


def busiest_movements(company: Company, operation: UUID) -> Iterator[str]:
    """Yield its movements: three come, two go, evenly over two years."""
    last = company.items * company.rounds
    for number in range(1, BUSIEST + 1):
        change, kind = (3, "receipt") if number % 2 else (-2, "issue")
        reason = "delivered" if number % 2 else "used"
        when = company.begin + (company.today - company.begin) * number / BUSIEST
        yield _row(
            last + number, company.items + 1, number, kind, change, 1, change, reason, NULL, NULL, operation, when, NULL
        )


# The rest, by chunks


class Chunk:
    """200 products at 1,000 places and everything that happened to them."""

    def __init__(self, company: Company, number: int) -> None:
        """Make up the part `number` (from 0)."""
        self.company, self.number = company, number
        self._random = random.Random(20_261_123 + number)  # noqa: S311  # the same company every time
        self._first_product = number * PRODUCTS_A_CHUNK + 1
        self._first_item = number * ITEMS_A_CHUNK + 1
        #: Where the items of each product begin, and after the last one.
        self._starts = self._deal()
        size = ITEMS_A_CHUNK * company.rounds
        self._changes, self._kinds = array("i", bytes(4 * size)), bytearray(size)
        self._held = [0] * ITEMS_A_CHUNK
        self._costs = [0] * PRODUCTS_A_CHUNK
        #: What revaluations add to a unit, in cents.
        self._dearer = [0] * PRODUCTS_A_CHUNK
        for product in range(PRODUCTS_A_CHUNK):
            self._live(product)

    def _deal(self) -> list[int]:
        """Give 1,000 places to 200 products: one to nine each."""
        counts = [min(9, max(1, int(self._random.expovariate(0.2)) + 1)) for _ in range(PRODUCTS_A_CHUNK)]
        while (missing := ITEMS_A_CHUNK - sum(counts)) != 0:
            one = self._random.randrange(PRODUCTS_A_CHUNK)
            counts[one] = min(9, max(1, counts[one] + (1 if missing > 0 else -1)))
        return [0, *accumulate(counts)]

    def _live(self, product: int) -> None:
        """Decide what happens to the items of a product, round by round."""
        choose, held, company = self._random, self._held, self.company
        begin, end = self._starts[product], self._starts[product + 1]
        self._costs[product] = max(5, int(choose.lognormvariate(7, 1.4)))
        usual = int(choose.lognormvariate(4, 1)) + 2
        fate = choose.random()
        last = company.rounds - 1
        for turn in range(company.rounds):
            # Within a round a transfer pairs two items; the others go their own ways.
            pair = turn > 0 and fate < 0.99 and end - begin > 1 and choose.random() < 0.3
            first = begin
            if pair and held[begin] > 1:
                moved = choose.randint(1, held[begin] - 1)
                self._book(begin, turn, TRANSFER, -moved)
                self._book(begin + 1, turn, TRANSFER, moved)
                first = begin + 2
            for item in range(first, end):
                if turn == 0:
                    self._book(item, turn, RECEIPT, choose.randint(usual, usual * 4))
                elif turn == last and (fate > 0.99 or choose.random() < 0.02) and held[item]:
                    self._book(item, turn, ISSUE, -held[item])
                elif turn == last and fate < 0.003 and item == end - 1:
                    self._book(item, turn, REVALUATION, 0)
                    self._dearer[product] = 5
                else:
                    self._something(item, turn, usual)

    def _something(self, item: int, turn: int, usual: int) -> None:
        choose, held = self._random, self._held[item]
        (kind,) = choose.choices(range(6), cum_weights=_OFTEN)
        place = item * self.company.rounds + turn - 1
        before, was = self._changes[place], self._kinds[place]
        if kind == REVERSAL and was in (RECEIPT, ISSUE, ADJUSTMENT) and turn > 1 and held - before >= 0:
            self._book(item, turn, REVERSAL, -before)
        elif kind == ISSUE and held:
            self._book(item, turn, ISSUE, -min(held, choose.randint(1, usual)))
        elif kind in (ADJUSTMENT, COUNT) and held > 3:
            self._book(item, turn, kind, -choose.randint(1, max(1, held // 20)))
        else:
            self._book(item, turn, RECEIPT, choose.randint(usual // 2 + 1, usual * 2))

    def _book(self, item: int, turn: int, kind: int, change: int) -> None:
        place = item * self.company.rounds + turn
        self._changes[place], self._kinds[place] = change, kind
        self._held[item] += change

    # Rows

    def _parts(self, product: int) -> int:
        """Return how many counts make a unit: what is weighed is counted in quarters."""
        return 4 if (self._first_product + product) % 7 == 0 else 1

    def _cost(self, product: int) -> float:
        return (self._costs[product] + self._dearer[product]) / 100

    def _keeps_lots(self, product: int) -> bool:
        return (self._first_product + product) % 13 == 0

    def catalogue(self) -> dict[str, list[str]]:
        """Return the rows of everything but the movements, by table, in the order they can be written in."""
        rows: dict[str, list[str]] = {name: [] for name in ("product", "supplier_product", "product_price")}
        rows |= {name: [] for name in ("lot", "inventory_item", "reservation")}
        kinds = leaves()
        for product in range(PRODUCTS_A_CHUNK):
            self._product(product, kinds, rows)
            self._items(product, rows)
        return rows

    def _product(self, product: int, kinds: list[tuple[int, str]], rows: dict[str, list[str]]) -> None:
        choose, company = self._random, self.company
        id_ = self._first_product + product
        category, kind = kinds[min(len(kinds) - 1, int(choose.expovariate(4 / len(kinds))))]
        name = f"{kind} {choose.choice(words.MATERIALS)} {choose.choice(words.SIZES)}"
        name += f" {choose.choice(words.MAKERS)} {choose.choice(words.GRADES)} {choose.randint(100, 9_999)}"
        sku = f"{kind[:2].upper()}-{id_:07}"
        barcode = gtin(id_) if id_ % 8 else NULL
        search = sort_key(f"{sku} {name}" + ("" if barcode == NULL else f" {barcode}"))
        cost, price = self._cost(product), round(self._cost(product) * choose.uniform(1.15, 2.4), 2)
        held = sum(self._held[self._starts[product] : self._starts[product + 1]]) / self._parts(product)
        point = 0 if choose.random() < 0.15 else int(held * choose.uniform(0.1, 0.6))
        if choose.random() < 0.03 or held == 0:
            point = int(held * 1.2) + 5
        supplier = choose.randint(1, len(words.MAKERS) * len(words.TRADES)) if id_ % 11 else NULL
        active, unit = "f" if id_ % 211 == 0 else "t", "kg" if self._parts(product) > 1 else "pcs"
        lots, since = "t" if self._keeps_lots(product) else "f", company.begin
        rows["product"].append(
            _row(id_, sku, name, sort_key(name), search, "", category, unit, barcode, lots, cost, price,
                 company.currency, point, max(1, point), supplier, active, 1, since)
        )  # fmt: skip
        rows["product_price"].append(_row(id_, since, NULL, price, company.currency, "First price"))
        if supplier != NULL:
            pack, least = choose.choice(((1, 1), (5, 10), (10, 10), (12, 24), (25, 100)))
            days = choose.choice((2, 3, 5, 7, 10, 14, 21, 45))
            own = f"{choose.randint(10_000, 99_999)}-{id_}"
            rows["supplier_product"].append(
                _row(
                    supplier, id_, own, round(cost * 0.98, 4), company.currency, "box", pack, least, days, "t", 1, since
                )
            )

    def _items(self, product: int, rows: dict[str, list[str]]) -> None:
        choose, parts, id_ = self._random, self._parts(product), self._first_product + product
        begin, end = self._starts[product], self._starts[product + 1]
        found, weights = bins(self.company)
        where: list[int] = []
        while len(where) < end - begin:
            (place,) = choose.choices(found, cum_weights=weights)
            if place not in where:
                where.append(place)
        last = self.company.rounds - 1
        for item, place in zip(range(begin, end), where, strict=True):
            number = self._first_item + item
            lot = number if self._keeps_lots(product) else NULL
            if lot != NULL:
                until = self.company.today.date() + timedelta(days=choose.randint(-20, 700))
                rows["lot"].append(_row(number, id_, f"L{number:08}", until, self.company.begin, 1))
            held = self._held[item] / parts
            when = self._when(item, last)
            rows["inventory_item"].append(_row(number, id_, place, lot, held, last + 1, when, _WHO))
            if number % 500 == 0 and self._held[item]:
                until = self.company.today + timedelta(days=365)
                rows["reservation"].append(_row(number, 1 / parts, until, f"SO-{number}", self.company.today, _WHO))

    def _when(self, item: int, turn: int) -> str:
        """Return when it happened; both sides of a transfer at once."""
        other = item
        if self._kinds[item * self.company.rounds + turn] == TRANSFER:
            other = self._starts[bisect(self._starts, item) - 1]
        return self.company.moment(turn, self._first_item + other)

    def movements(self, turn: int, operation: UUID) -> Iterator[str]:
        """Yield the rows of a round, as booked by `operation`."""
        company, rounds = self.company, self.company.rounds
        product, parts, cents = -1, 1, 0
        for item in range(ITEMS_A_CHUNK):
            while item >= self._starts[product + 1]:
                product += 1
                parts, cents = self._parts(product), self._costs[product]
            place = item * rounds + turn
            change, kind = self._changes[place], self._kinds[place]
            number = self._first_item + item
            id_ = turn * company.items + number
            cost, value = cents / 100, change * cents / parts / 100
            if kind == REVALUATION:
                held = sum(self._held[self._starts[product] : self._starts[product + 1]])
                value = held * self._dearer[product] / parts / 100
            reason, about = _REASONS[kind]
            document = NULL if about == NULL else f"{'PO' if kind == RECEIPT else 'SO'}-{id_ // 7}"
            reverses = id_ - company.items if kind == REVERSAL else NULL
            yield (
                f"{id_}\t{number}\t{turn + 1}\t{KINDS[kind]}\t{change / parts}\t{cost}\t{value:.4f}\t{reason}\t{about}"
                f"\t{document}\t{operation}\t{self._when(item, turn)}\t{reverses}"
            )
