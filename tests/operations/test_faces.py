"""Who is named in a list is shown by their picture, and a list costs no more statements for it."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from reflex.model import get_engine

from inventory_app.context import Actor, acting_as, system_actor
from inventory_app.models.access import UserPicture
from inventory_app.operations import approvals, suppliers, trail, users
from inventory_app.unit_of_work import read, transact
from tests.factories import add, person, supplier

SHA = "a" * 64


def with_picture(whose: Actor, sha256: str = SHA) -> str:
    """Give somebody a picture; returns its address."""
    add(UserPicture(user_id=whose.id or 0, content=b"a face", media_type="image/webp", sha256=sha256))
    return f"/pictures/{whose.id}/{sha256}"


def see(viewer: Actor, query: Any, **arguments: Any) -> Any:
    with acting_as(viewer):
        return read(query, **arguments)


def statements(act: Callable[[], Any]) -> int:
    sent: list[str] = []
    listener = (get_engine(), "before_cursor_execute", lambda *args: sent.append(args[2]))
    sa.event.listen(*listener)
    try:
        act()
    finally:
        sa.event.remove(*listener)
    return len(sent)


def enter(actor: Actor, name: str) -> int:
    with acting_as(actor):
        return transact(suppliers.create_supplier, name=name).supplier_id


def test_requests_and_decisions_show_who_asked_and_who_decided(database):
    ann, bob, eve = person("ann", "manager"), person("bob", "manager"), person("eve", "manager")
    anns, eves = with_picture(ann), with_picture(eve, "e" * 64)
    entered = enter(ann, "Quay")
    (row,) = see(eve, approvals.waiting_for_me).rows
    assert (row.asked_by, row.initials, row.picture) == ("Ann", "A", anns)
    # "You" have a face, too.
    (mine,) = see(ann, approvals.asked_by_me).rows
    assert (mine.asked_by, mine.initials, mine.picture) == ("you", "A", anns)
    with acting_as(eve):
        transact(suppliers.approve_supplier, supplier_id=entered)
    (decided,) = see(bob, approvals.decided_lately).rows
    assert (decided.by, decided.initials, decided.picture) == ("Eve", "E", eves)
    detail = see(bob, approvals.approval_detail, approval_id=row.id)
    assert (detail.initials, detail.picture) == ("A", anns)
    assert [(one.initials, one.picture) for one in detail.decisions] == [("E", eves)]


def test_what_nobody_here_asked_for_has_no_face(database):
    eve = person("eve", "manager")
    supplier("Stranger Ltd")
    (row,) = see(eve, approvals.waiting_for_me).rows
    assert (row.asked_by, row.initials, row.picture) == ("the applicant", "", "")


def test_the_trail_shows_the_picture_that_somebody_has_today(database):
    ada, olga = person("ada", "admin"), person("olga", "auditor")
    bob = person("bob")
    with acting_as(ada):
        transact(users.change_user_role, user_id=bob.id, role_name="auditor")

    def row() -> Any:
        return see(olga, trail.list_operations, search="operation:users.change_user_role").rows[0]

    assert (row().person, row().initials, row().picture) == ("Ada", "A", "")
    address = with_picture(ada)
    assert row().picture == address
    with acting_as(system_actor("test")):
        transact(users.deactivate_user, user_id=bob.id)
    machine = see(olga, trail.list_operations, search="operation:users.deactivate_user").rows[0]
    assert (machine.machine, machine.picture) == (True, "")


def test_a_list_costs_the_same_statements_however_many_faces_are_on_it(database):
    eve = person("eve", "manager", "auditor")

    def requests(*usernames: str) -> None:
        for number, name in enumerate(usernames):
            one = person(name, "manager")
            with_picture(one, f"{number}" * 64)
            enter(one, f"Of {name}")

    requests("ann")
    lists = (approvals.waiting_for_me, trail.list_operations)
    few = [statements(lambda query=query: see(eve, query)) for query in lists]
    requests("bea", "cem", "dan")
    assert {row.picture != "" for row in see(eve, approvals.waiting_for_me).rows} == {True}
    assert [statements(lambda query=query: see(eve, query)) for query in lists] == few
