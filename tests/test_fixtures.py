"""The fixtures themselves, in the way tests use them."""

from inventory_app.context import acting_as
from inventory_app.operations import users
from inventory_app.unit_of_work import read, transact
from tests.factories import item, person, supplier
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked


def test_each_test_has_people_and_rows_of_its_own(ada, trail):
    person("bert", "employee")
    item(quantity=7)
    supplier()
    with acting_as(ada):
        assert [row.username for row in read(users.list_users).page.rows] == ["ada", "bert"]
    assert trail.last().actor_name == "system:test"


def test_one_side_stops_at_its_point_and_the_other_is_seen_waiting(ada, observer):
    bert, carl = person("bert", "employee"), person("carl", "employee")
    with (
        acting_as(ada),
        Side(lambda: transact(users.deactivate_user, user_id=bert.id), until=before_commit()) as one,
    ):
        holder = one.reaches_its_point()
        with Side(lambda: transact(users.deactivate_user, user_id=carl.id)) as other:
            assert wait_until_blocked(observer, holder) != holder
            one.go_on()
            assert other.error() is None
        assert one.error() is None
