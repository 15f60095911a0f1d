"""Two people at one order, or at its supplier: seen waiting for each other, exactly one of them is done."""

import pytest

from inventory_app.context import acting_as
from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided, Conflict, Stale
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import orders
from inventory_app.unit_of_work import transact
from tests.factories import arrange, person
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.buying import head, known, lines, market, step, tea, words, write


@pytest.fixture
def shop(database):
    return market()


@pytest.fixture
def nancy(database):
    return person("nancy", "manager")


@pytest.fixture
def mona(database):
    return person("mona", "manager")


def raced(observer, first, first_by, second, second_by):
    """Let `first` be about to commit when `second` comes; returns what came of each."""
    with acting_as(first_by):
        one = Side(first, until=before_commit())
    with acting_as(second_by):
        other = Side(second)
    with one:
        holder = one.reaches_its_point()
        with other:
            waiting = wait_until_blocked(observer, by=holder)
            kinds = locks_waited_for(observer, waiting)
            one.go_on()
            return one.result(), other.error(), kinds


def doing(operation, order_id, **more):
    version = known(order_id).version
    return lambda: transact(operation, order_id=order_id, **({"version": version} | more))


def submitted(shop, ann, cost="2000"):
    with acting_as(ann):
        order_id = write(shop, words(cost=cost)).order_id
        step(orders.submit_order, order_id)
    return order_id


def test_two_who_agree_at_once_are_one_agreement(shop, observer, ann, nancy, mona):
    order_id = submitted(shop, ann)
    agree = doing(orders.approve_order, order_id)
    done, error, kinds = raced(observer, agree, nancy, agree, mona)
    assert done.status == "approved"
    assert isinstance(error, AlreadyDecided)
    assert kinds


def test_of_two_needed_both_count_although_they_come_at_once(shop, observer, ann, nancy, mona):
    order_id = submitted(shop, ann, "20000")
    agree = doing(orders.approve_order, order_id)
    done, error, _ = raced(observer, agree, nancy, agree, mona)
    assert (done.status, error) == ("submitted", None)
    assert known(order_id).status == "approved"


def test_what_is_taken_back_while_somebody_agrees_is_not_approved(shop, observer, ann, nancy):
    order_id = submitted(shop, ann)
    done, error, _ = raced(
        observer, doing(orders.revise_order, order_id), ann, doing(orders.approve_order, order_id), nancy
    )
    assert done.status == "draft"
    assert isinstance(error, AlreadyDecided)
    assert known(order_id).status == "draft"


def test_what_is_agreed_to_while_somebody_takes_it_back_is_approved(shop, observer, ann, nancy):
    order_id = submitted(shop, ann)
    done, error, _ = raced(
        observer, doing(orders.approve_order, order_id), nancy, doing(orders.revise_order, order_id), ann
    )
    assert done.status == "approved"
    assert isinstance(error, Stale)


def test_a_draft_that_two_write_has_what_the_first_wrote(shop, observer, ann, nancy):
    with acting_as(ann):
        order_id = write(shop).order_id
    version = known(order_id).version

    def writing(quantity):
        given = {"head": head(shop), "lines": [tea(shop, quantity)]}
        return lambda: transact(orders.update_order, order_id=order_id, version=version, **given)

    done, error, _ = raced(observer, writing(48), ann, writing(240), nancy)
    assert done.version == 2
    assert isinstance(error, Stale)
    assert [line.quantity for line in lines(order_id)] == [48]


def suspend(shop):
    def build(session):
        lock(session, Supplier, [shop.supplier])[shop.supplier].status = "suspended"

    return lambda: arrange(build)


def test_a_supplier_that_is_suspended_meanwhile_is_not_ordered_from(shop, observer, ann):
    with acting_as(ann):
        order_id = write(shop).order_id
        step(orders.submit_order, order_id)
    _, error, kinds = raced(observer, suspend(shop), ann, doing(orders.place_order, order_id), ann)
    assert isinstance(error, Conflict)
    assert "suspended" in str(error)
    assert kinds[0][0] in ("tuple", "transactionid")
    assert known(order_id).status == "approved"


def test_a_supplier_is_not_suspended_between_the_look_and_the_order(shop, observer, ann):
    with acting_as(ann):
        order_id = write(shop).order_id
        step(orders.submit_order, order_id)
    done, error, _ = raced(observer, doing(orders.place_order, order_id), ann, suspend(shop), ann)
    assert (done.status, error) == ("ordered", None)


def test_two_orders_of_one_supplier_do_not_wait_for_each_other(shop, ann, nancy):
    with acting_as(ann):
        ids = [write(shop).order_id for _ in range(2)]
        for order_id in ids:
            step(orders.submit_order, order_id)
        with Side(doing(orders.place_order, ids[0]), until=before_commit()) as one:
            one.reaches_its_point()
            assert step(orders.place_order, ids[1]).status == "ordered"
            one.go_on()
            assert one.result().status == "ordered"


@pytest.mark.parametrize("cancels_first", [True, False])
def test_an_order_is_cancelled_or_sent_and_never_both(shop, observer, ann, nancy, cancels_first):
    with acting_as(ann):
        order_id = write(shop).order_id
        step(orders.submit_order, order_id)
    sides = [
        (doing(orders.cancel_order, order_id, reason="not needed"), ann, "cancelled"),
        (doing(orders.place_order, order_id), nancy, "ordered"),
    ]
    first, second = sides if cancels_first else reversed(sides)
    done, error, _ = raced(observer, *first[:2], *second[:2])
    assert done.status == first[2] == known(order_id).status
    assert isinstance(error, Stale)


def test_two_submitted_at_once_have_numbers_that_follow_each_other(shop, observer, ann, nancy):
    with acting_as(ann):
        ids = [write(shop).order_id for _ in range(2)]
    one, other = (doing(orders.submit_order, order_id) for order_id in ids)
    done, error, _ = raced(observer, one, ann, other, nancy)
    assert error is None
    numbers = [known(order_id).number or "" for order_id in ids]
    assert done.called == numbers[0]
    assert [number[-4:] for number in numbers] == ["0001", "0002"]
