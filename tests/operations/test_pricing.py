"""Prices: changed now or later, one or many, always with their history; what is large waits for somebody else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app import jobs
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import AlreadyDecided, Conflict, Invalid, InvalidRows, NotAllowed, NotFound
from inventory_app.models.catalog import Category, Product, ProductPrice
from inventory_app.operations import _prices, approvals, change_sets, pricing
from inventory_app.operations._lists import View
from inventory_app.unit_of_work import read, transact
from tests.factories import add, arrange, location, person, product, role
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked
from tests.operations.shelf import refusal

_SEVEN = Decimal(7)


def today():
    """Return the day as it is now: a run may go on past midnight."""
    return datetime.now(UTC).date()


def tomorrow():
    """Return the day after."""
    return today() + timedelta(days=1)


@pytest.fixture
def nancy(database):
    """Return a second manager."""
    return person("nancy", "manager")


@pytest.fixture
def as_ann(ann):
    """Let the manager do it."""
    with acting_as(ann):
        yield ann


def priced(sku: str, price: str = "10", **more: object) -> int:
    return product(sku, unit_price=Decimal(price), **more).id or 0


def price(id_: int, to: str, **more: object) -> dict[str, object]:
    return {"product_id": id_, "price": to, **more}


def update(*updates: dict[str, object], **more: object) -> pricing.Priced:
    return transact(pricing.update_pricing, updates=list(updates), **more)


def now_of(*ids: int) -> list[Decimal]:
    found = arrange(lambda s: dict(s.execute(sa.select(col(Product.id), col(Product.unit_price))).all()))
    return [found[id_] for id_ in ids]


def history(id_: int) -> list[tuple[str, Decimal | None, Decimal]]:
    statement = select(ProductPrice).where(ProductPrice.product_id == id_).order_by(col(ProductPrice.id))
    return arrange(lambda s: [(p.status, p.old_price, p.new_price) for p in s.exec(statement)])


def its_day_comes(id_: int, days: int = 1) -> None:
    """Let what is planned for a product have been due some days ago."""
    arrange(
        lambda s: s.execute(
            sa.update(ProductPrice)
            .where(col(ProductPrice.product_id) == id_, col(ProductPrice.status) == "planned")
            .values(valid_from=col(ProductPrice.valid_from) - timedelta(days=days + 1))
        )
    )


# One and many, now


def test_a_price_is_changed_with_its_history_and_the_trail_says_why(as_ann, trail):
    bolt = priced("BOLT")
    assert update(price(bolt, "12.5"), reason="Dearer steel") == pricing.Priced(1, 0)
    assert now_of(bolt) == [Decimal("12.5")]
    assert history(bolt) == [("applied", Decimal(10), Decimal("12.5"))]
    done = trail.last(name="pricing.update_pricing")
    assert (done.reason, done.actor_name) == ("Dearer steel", "ann")
    assert {change.table for change in trail.changes(done.id)} == {"product", "product_price"}


def test_what_costs_that_already_is_not_written_again(as_ann, trail):
    bolt, nut = priced("BOLT"), priced("NUT", "3")
    assert update(price(bolt, "10.00"), price(nut, "4")) == pricing.Priced(1, 1)
    assert (history(bolt), len(history(nut))) == ([], 1)


@pytest.mark.parametrize(
    ("old", "percent", "step", "new"),
    [
        ("10", "5", "0.01", "10.50"),
        ("0.10", "5", "0.01", "0.11"),  # 0.105: half goes up
        ("2.10", "-2.5", "0.01", "2.05"),  # 2.0475
        ("19.99", "10", "0.05", "22.00"),
        ("19.99", "10", "1.00", "22.00"),
        ("3.33", "-100", "0.01", "0"),
    ],
)
def test_percent_is_rounded_half_up_the_same_in_python_and_in_sql(as_ann, old, percent, step, new):
    bolt, nut = priced("BOLT", old), priced("NUT", old)
    update({"product_id": bolt, "percent": percent}, round_to=step)
    proposed = transact(change_sets.propose_prices, product_ids=[nut], how="percent", value=percent, round_to=step)
    transact(change_sets.apply_changes, change_set_id=proposed.change_set_id)
    assert now_of(bolt, nut) == [Decimal(new), Decimal(new)]


def test_products_can_be_named_by_their_sku(as_ann):
    bolt = priced("BOLT")
    update({"sku": " bolt ", "price": "11"})
    assert now_of(bolt) == [11]


def test_every_fault_of_a_batch_is_listed_and_nothing_is_changed(as_ann, trail):
    bolt, nut = priced("BOLT"), priced("NUT")
    error = refusal(
        InvalidRows,
        update,
        price(bolt, "11"),
        price(999_999, "11"),
        price(bolt, "12"),
        price(nut, "-1"),
        price(nut, "1.23456"),
        price(nut, "lots"),
        {"product_id": nut},
        {"price": "3"},
        {"product_id": nut, "percent": "0"},
        price(nut, "5", read_price="9"),
        price(nut, "NaN"),
        {"sku": "GHOST", "price": "1"},
    )
    assert str(error) == "11 of 12 rows cannot be saved, so none was:"
    assert {(row, field) for row, field, _ in error.rows} == {
        (2, "product_id"), (3, "product_id"), (4, "price"), (5, "price"), (6, "price"), (7, "price"),
        (8, "product_id"), (9, "percent"), (10, "price"), (11, "price"), (12, "product_id"),
    }  # fmt: skip
    assert {row: said for row, _, said in error.rows}[10] == ("Nut was changed since you looked: read its price again")
    assert now_of(bolt, nut) == [10, 10]
    assert trail.last(name="pricing.update_pricing").outcome == "failed"


def test_a_version_that_is_over_is_refused(as_ann):
    bolt = priced("BOLT")
    update(price(bolt, "11", version=1))
    assert refusal(InvalidRows, update, price(bolt, "12", version=1)).rows[0][1] == "price"


def test_the_same_request_twice_is_done_once(as_ann):
    bolt = priced("BOLT")
    again = {"idempotency_key": "k1"}
    first = update({"product_id": bolt, "percent": "10"}, **again)
    assert update({"product_id": bolt, "percent": "10"}, **again) == first
    assert now_of(bolt) == [11]


def test_only_who_may_change_prices_can(database):
    bolt = priced("BOLT")
    with acting_as(person("emil", "employee")):
        refusal(NotAllowed, update, price(bolt, "11"))
        refusal(NotAllowed, read, pricing.price_history, product_id=bolt)
    with acting_as(person("acca", "accountant")):
        update(price(bolt, "11"))


# On a later day


def test_a_price_waits_for_its_day_and_the_job_brings_it(as_ann, trail):
    bolt = priced("BOLT")
    assert update(price(bolt, "12"), valid_from=tomorrow()) == pricing.Priced(1, 0, tomorrow())
    assert now_of(bolt) == [10]
    assert not read(pricing.any_price_due)
    (shown,) = read(pricing.planned_prices).rows
    assert (shown.sku, shown.price, shown.now) == ("BOLT", "12.00 USD", "10.00")
    its_day_comes(bolt)
    before = len(trail.operations(name="pricing.apply_planned_prices"))
    jobs.apply_planned_prices()
    jobs.apply_planned_prices()
    (done,) = trail.operations(name="pricing.apply_planned_prices")[before:]
    assert done.actor_name == "system:pricing"
    assert now_of(bolt) == [12]
    assert history(bolt) == [("applied", Decimal(10), Decimal(12))]


def test_there_is_one_planned_price_for_a_product_and_a_day(as_ann):
    bolt = priced("BOLT")
    update(price(bolt, "12"), valid_from=tomorrow())
    error = refusal(InvalidRows, update, price(bolt, "13"), valid_from=tomorrow())
    assert error.rows[0][1] == "valid_from"
    twice = {"product_id": bolt, "valid_from": _prices.beginning(tomorrow()), "new_price": 1, "currency": "USD"}
    with pytest.raises(Conflict, match="is planned for that day already"):
        add(ProductPrice(**twice, status="planned"))
    update(price(bolt, "13"), valid_from=tomorrow() + timedelta(days=1))


def test_a_planned_price_can_be_cancelled_until_its_day(as_ann):
    bolt = priced("BOLT")
    update(price(bolt, "12"), valid_from=tomorrow())
    (shown,) = read(pricing.planned_prices).rows
    assert transact(pricing.cancel_planned_price, price_id=shown.id) == "Bolt"
    assert read(pricing.planned_prices).rows == []
    assert "already" in str(refusal(AlreadyDecided, transact, pricing.cancel_planned_price, price_id=shown.id))
    update(price(bolt, "13"), valid_from=tomorrow())
    its_day_comes(bolt)
    due = read(pricing.planned_prices).rows[0].id
    assert "Its day has come" in str(refusal(AlreadyDecided, transact, pricing.cancel_planned_price, price_id=due))
    refusal(NotFound, transact, pricing.cancel_planned_price, price_id=999_999)


def test_what_was_due_counts_before_what_is_changed_after_it(as_ann):
    """The job was away: yesterday's price must not come after today's."""
    bolt = priced("BOLT")
    update(price(bolt, "12"), valid_from=tomorrow())
    its_day_comes(bolt)
    update({"product_id": bolt, "percent": "10"})
    jobs.apply_planned_prices()
    assert now_of(bolt) == [Decimal("13.2")]
    assert history(bolt) == [("applied", Decimal(10), Decimal(12)), ("applied", Decimal(12), Decimal("13.2"))]


def test_several_days_that_were_missed_are_made_up_in_their_order(as_ann):
    bolt = priced("BOLT")
    for later, to in ((2, "13"), (1, "12")):
        update(price(bolt, to), valid_from=today() + timedelta(days=later))
    its_day_comes(bolt, days=5)
    jobs.apply_planned_prices()
    assert now_of(bolt) == [13]
    assert history(bolt) == [("applied", Decimal(12), Decimal(13)), ("applied", Decimal(10), Decimal(12))]


@pytest.mark.parametrize("day", [today() - timedelta(days=1), today() + timedelta(days=5_000)])
def test_a_day_that_is_over_or_far_away_is_refused(as_ann, day):
    bolt = priced("BOLT")
    assert "effective_on" in refusal(Invalid, update, price(bolt, "12"), valid_from=day).fields


# What is large


def test_a_large_change_waits_for_somebody_else(ann, nancy, configure):
    configure(INVENTORY_PRICE_APPROVAL_PERCENT="20")
    bolt, nut = priced("BOLT"), priced("NUT")
    with acting_as(ann):
        assert update(price(bolt, "12")).waits_as is None
        waiting = update(price(bolt, "20"), price(nut, "10.5"), reason="New supplier")
        assert waiting.waits_as
        assert now_of(bolt, nut) == [12, 10]
        (mine,) = read(approvals.asked_by_me).rows
        assert (mine.title, mine.label) == ("Price of 2 products", "Price")
        assert "somebody else must agree" in str(refusal(NotAllowed, transact, approvals.approve, approval_id=mine.id))
        refusal(Conflict, transact, change_sets.discard_changes, change_set_id=waiting.waits_as)
    with acting_as(nancy):
        assert transact(approvals.approve, approval_id=mine.id).status == "approved"
    assert now_of(bolt, nut) == [20, Decimal("10.5")]


def test_a_rejected_change_is_discarded(ann, nancy, configure):
    configure(INVENTORY_PRICE_APPROVAL_PERCENT="20")
    bolt = priced("BOLT")
    with acting_as(ann):
        waiting = update(price(bolt, "20")).waits_as
        (mine,) = read(approvals.asked_by_me).rows
    with acting_as(nancy):
        transact(approvals.reject, approval_id=mine.id, reason="Too dear")
        assert read(change_sets.change_set_detail, change_set_id=waiting).state == "discarded"
    assert now_of(bolt) == [10]


def test_what_changed_meanwhile_is_not_agreed_to(ann, nancy, configure):
    configure(INVENTORY_PRICE_APPROVAL_PERCENT="20")
    bolt = priced("BOLT")
    with acting_as(ann):
        update(price(bolt, "20"))
        (mine,) = read(approvals.asked_by_me).rows
        update(price(bolt, "11"))
    with acting_as(nancy):
        error = refusal(InvalidRows, transact, approvals.approve, approval_id=mine.id)
    assert error.rows == ((1, "BOLT", "was changed meanwhile: it is something else now"),)
    assert now_of(bolt) == [11]


def test_a_large_set_of_changes_asks_too_and_a_first_price_does_not(ann, nancy, configure):
    configure(INVENTORY_PRICE_APPROVAL_PERCENT="20")
    bolt, free = priced("BOLT"), priced("FREE", "0")
    with acting_as(ann):
        assert update(price(free, "3")).waits_as is None
        proposed = transact(change_sets.propose_prices, product_ids=[bolt], how="percent", value="50")
        assert read(change_sets.change_set_detail, change_set_id=proposed.change_set_id).needs_agreement
        assert transact(change_sets.apply_changes, change_set_id=proposed.change_set_id).status == "waiting"
        refusal(Conflict, transact, change_sets.apply_changes, change_set_id=proposed.change_set_id)
        (mine,) = read(approvals.asked_by_me).rows
        transact(approvals.withdraw, approval_id=mine.id)
        transact(change_sets.discard_changes, change_set_id=proposed.change_set_id)


# Races


def test_two_people_with_the_same_products_the_other_way_round_wait_for_each_other(ann, nancy, observer):
    bolt, nut = priced("BOLT"), priced("NUT")
    with acting_as(ann), Side(lambda: update(price(bolt, "11"), price(nut, "12")), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with acting_as(nancy), Side(lambda: update(price(nut, "13"), {"product_id": bolt, "percent": "10"})) as two:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            two.result()
    assert now_of(bolt, nut) == [Decimal("12.1"), 13]
    assert history(bolt)[1] == ("applied", Decimal(11), Decimal("12.1"))


def test_the_job_at_once_with_itself_changes_each_price_once(ann, observer):
    bolt = priced("BOLT")
    with acting_as(ann):
        update(price(bolt, "12"), valid_from=tomorrow())
    its_day_comes(bolt)

    def run() -> int:
        return transact(pricing.apply_planned_prices)

    with acting_as(system_actor("pricing")), Side(run, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(run) as two:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert (one.result(), two.result()) == (1, 0)
    assert len(history(bolt)) == 1


def test_cancelling_waits_for_the_job_and_comes_too_late(ann, observer):
    bolt = priced("BOLT")
    with acting_as(ann):
        update(price(bolt, "12"), valid_from=tomorrow())
        planned = read(pricing.planned_prices).rows[0].id
    its_day_comes(bolt)
    with (
        acting_as(system_actor("pricing")),
        Side(lambda: transact(pricing.apply_planned_prices), until=before_commit()) as one,
    ):
        holder = one.reaches_its_point()
        with acting_as(ann), Side(lambda: transact(pricing.cancel_planned_price, price_id=planned)) as two:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            one.result()
            assert isinstance(two.error(), AlreadyDecided)
    assert now_of(bolt) == [12]


# Reading


def test_prices_change_no_other_way_than_with_a_row_of_the_history(as_ann):
    from inventory_app.operations import stock

    here = location("HERE").id
    transact(
        stock.create_inventory_item, sku="NEW", name="New", location_id=here, quantity=Decimal(0), unit_price=_SEVEN
    )
    bolt = priced("BOLT")
    add(ProductPrice(product_id=bolt, new_price=Decimal(10), currency="USD"))
    update(price(bolt, "12"))
    proposed = transact(change_sets.propose_prices, product_ids=[bolt], how="set", value="14")
    transact(change_sets.apply_changes, change_set_id=proposed.change_set_id)
    transact(change_sets.revert_changes, change_set_id=proposed.change_set_id)
    newest = (
        sa.select(col(ProductPrice.new_price))
        .where(col(ProductPrice.product_id) == col(Product.id), col(ProductPrice.status) == "applied")
        .order_by(col(ProductPrice.valid_from).desc(), col(ProductPrice.id).desc())
        .limit(1)
        .correlate(Product)
        .scalar_subquery()
    )
    differ = sa.select(col(Product.sku)).where(newest.is_distinct_from(col(Product.unit_price)))
    assert arrange(lambda s: list(s.scalars(differ))) == []


def test_the_history_is_a_table_and_steps(as_ann):
    bolt = priced("BOLT")
    update(price(bolt, "12"), reason="Steel")
    update(price(bolt, "9"), valid_from=tomorrow())
    found = read(pricing.price_history, product_id=bolt)
    assert [(row.price, row.change, row.status) for row in found.rows] == [
        ("9.00 USD", "", "Planned"),
        ("12.00 USD", "+20.0 %", ""),
    ]
    assert found.chart.path.startswith("M0 ")
    assert read(pricing.price_history, product_id=999_999) is None


def test_steps_hold_their_value_until_the_next_one():
    drawn = pricing.step_chart([(0.0, Decimal(1)), (50.0, Decimal(3))], 100.0, "USD")
    assert drawn.path == "M0 152.0 H320.0 V8.0 H640"
    assert (drawn.lowest, drawn.highest) == ("1.00 USD", "3.00 USD")
    assert pricing.step_chart([(0.0, Decimal(1))], 100.0, "USD").path == "M0 80.0 H640"


def test_the_list_of_prices_says_margin_since_when_and_what_is_planned(as_ann):
    tools = add(Category(code="T", name="Tools")).id
    bolt = priced("BOLT", unit_cost=Decimal(6), category_id=tools)
    priced("CHEAP", "1", unit_cost=Decimal(6))
    priced("FREE", "0")
    update(price(bolt, "12"), valid_from=tomorrow())
    found = read(pricing.list_prices, view=View())
    assert [(row.sku, row.unit_price, row.margin) for row in found.page.rows] == [
        ("BOLT", "10.00", "40.0 %"),
        ("CHEAP", "1.00", "−500.0 %"),
        ("FREE", "0.00", ""),
    ]
    assert found.page.rows[0].planned == f"{tomorrow():%-d %b %Y}"
    for filters, skus in (
        ({"view": "none"}, ["FREE"]),
        ({"view": "below"}, ["CHEAP"]),
        ({"planned": "yes"}, ["BOLT"]),
        ({"category": str(tools)}, ["BOLT"]),
    ):
        narrowed = read(pricing.list_prices, view=View(filters=filters))
        assert [row.sku for row in narrowed.page.rows] == skus
    assert read(pricing.matching_products, view=View(search="bolt"), most=5) == [bolt]


def test_what_stock_is_worth_is_told_by_category(as_ann):
    from inventory_app.operations import stock

    here = location("HERE").id
    for sku, cost in (("ONE", "2"), ("TWO", "6")):
        transact(
            stock.create_inventory_item,
            sku=sku, name=sku, location_id=here, quantity=Decimal(10), unit_cost=Decimal(cost),
        )  # fmt: skip
    tools = add(Category(code="T", name="Tools")).id
    arrange(lambda s: s.execute(sa.update(Product).where(col(Product.sku) == "TWO").values(category_id=tools)))
    found = read(pricing.stock_value)
    assert found.total == "80.00 USD"
    assert [(one.name, one.value, one.percent) for one in found.shares] == [
        ("Tools", "60.00", 100),
        ("No category", "20.00", 33),
    ]


def test_who_may_change_prices_and_not_see_them_is_told_none_by_what_is_refused(database):
    nut = priced("NUT", "7")
    role("pricer", "prices:update", "products:view")
    with acting_as(person("ben", "pricer")):
        for guess in ("7", "8"):
            refusal(NotAllowed, update, price(nut, "7", read_price=guess))
    assert now_of(nut) == [7]


def test_a_refusal_on_record_holds_no_price(as_ann, trail):
    nut = priced("NUT", "86420.97")
    refusal(InvalidRows, update, price(nut, "7", read_price="8"))
    assert "86420" not in str(trail.last(name="pricing.update_pricing")).replace(",", "")


def test_percent_that_make_no_price_are_a_fault_of_their_row(as_ann):
    dear = priced("DEAR", "9999999999")
    error = refusal(InvalidRows, update, {"product_id": dear, "percent": "900"})
    assert error.rows == ((1, "price", "This number is too large."),)
