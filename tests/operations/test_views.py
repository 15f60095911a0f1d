"""Kept views: one's own and shared ones, each as its reader may have it; only whoever saved one changes it."""

import pytest

import inventory_app.pages
from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from inventory_app.operations import views
from inventory_app.unit_of_work import read, transact
from tests.factories import person, role
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked
from tests.operations.shelf import refusal

# Importing the pages imports every State, and with it registers every list.
PAGES = inventory_app.pages
PAGE = "/inventory"
LOW = {"view": "out", "sort": "product"}


@pytest.fixture(autouse=True)
def as_ann(ann):
    """Let Ann do it."""
    with acting_as(ann):
        yield ann


def save(name="Low", **more):
    return transact(views.save_view, **({"page": PAGE, "name": name, "view": LOW} | more))


def kept(page=PAGE):
    return read(views.kept_views, page=page)


def names():
    return [one.name for one in kept().views]


def choose(view_id, page=PAGE):
    return transact(views.choose_default_view, page=page, view_id=view_id)


def test_ones_own_views_come_before_those_of_others():
    save("Écrous"), save("bolts"), save("Nuts", shared=True)
    with acting_as(person("nancy", "manager")):
        save("Aaa", shared=True)
        assert names() == ["Aaa", "Nuts"]
        assert [(one.mine, one.shared, one.owner) for one in kept().views] == [
            (True, True, "Nancy"),
            (False, True, "Ann"),
        ]
    assert names() == ["bolts", "Écrous", "Nuts", "Aaa"]


def test_a_view_is_kept_as_its_list_writes_it_and_not_under_another_name():
    view_id = save(view=LOW | {"saved": "7", "nonsense": "1"})
    (one,) = kept().views
    assert (one.id, one.query, one.version) == (view_id, LOW, 1)


def test_it_is_overwritten_renamed_shared_and_removed_by_who_saved_it():
    view_id = save()
    assert transact(views.overwrite_view, view_id=view_id, version=1, view={"view": "out"}) == "Low"
    assert transact(views.rename_view, view_id=view_id, version=2, name=" None left ") == "None left"
    assert transact(views.share_view, view_id=view_id, version=3, shared=True) == "None left"
    (one,) = kept().views
    assert (one.name, one.query, one.shared, one.version) == ("None left", {"view": "out"}, True, 4)
    refusal(Stale, transact, views.rename_view, view_id=view_id, version=3, name="Other")
    with acting_as(person("nancy", "manager")):
        for change in (views.overwrite_view, views.rename_view, views.share_view, views.remove_view):
            more = {
                views.overwrite_view: {"view": {}},
                views.rename_view: {"name": "Mine"},
                views.share_view: {"shared": False},
            }.get(change, {})
            refused = refusal(NotAllowed, transact, change, view_id=view_id, version=4, **more)
            assert str(refused).startswith("Only whoever has saved this view can change it.")
    assert transact(views.remove_view, view_id=view_id, version=4) == "None left"
    assert names() == []
    refusal(NotFound, transact, views.rename_view, view_id=view_id, version=5, name="Back")


def test_what_cannot_be_kept(as_ann):
    refusal(NotFound, save, page="/nowhere")
    refusal(NotFound, kept, "/nowhere")
    assert "name" in refusal(Invalid, save, " ").fields
    assert "name" in refusal(Invalid, save, "x" * 61).fields
    refusal(NotFound, transact, views.rename_view, view_id=999_999, version=1, name="Mine")
    with acting_as(person("emil", "employee")):
        refusal(NotAllowed, save, page="/admin/users")
        refusal(NotAllowed, kept, "/admin/users")
    with acting_as(system_actor("jobs")):
        assert "needs a person" in str(refusal(NotAllowed, save))


def test_nobody_keeps_more_views_of_a_list_than_they_can_oversee(monkeypatch):
    monkeypatch.setattr(views, "MOST", 2)
    save("One"), save("Two"), save("Elsewhere", page="/products")
    assert "You have 2 views of this list." in str(refusal(Conflict, save, "Three"))
    transact(views.remove_view, view_id=kept().views[0].id, version=1)
    save("Three")


def test_somebody_who_saves_two_at_once_keeps_no_more_than_that(monkeypatch, as_ann, observer):
    monkeypatch.setattr(views, "MOST", 1)
    with Side(lambda: save("One"), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: save("Two")) as other:
            waiter = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiter) == [("transactionid", "ShareLock")]
            one.go_on()
            one.result()
            assert isinstance(other.error(), Conflict)
    assert names() == ["One"]


def test_a_list_begins_with_the_view_that_was_chosen_as_long_as_there_is_one():
    with acting_as(person("nancy", "manager")):
        theirs, hidden = save("Theirs", shared=True), save("Hidden")
    mine = save()
    assert kept().default == 0
    assert choose(mine) == "Low"
    assert kept().default == mine
    assert choose(theirs) == "Theirs"
    assert kept().default == theirs
    refusal(NotFound, choose, hidden)
    refusal(NotFound, choose, theirs, "/products")
    assert kept().default == theirs
    assert choose(None) == ""
    assert kept().default == 0
    choose(mine)
    transact(views.remove_view, view_id=mine, version=1)
    assert kept().default == 0


def test_a_shared_view_is_there_for_who_may_see_its_list_and_without_what_they_may_not_see():
    dear = save("Dear", shared=True, view={"columns": "product,unit_cost"})
    with acting_as(person("emil", "employee")):
        (one,) = kept().views
        assert one.query == {"columns": "product,changed"}
        assert choose(dear) == "Dear"
    role("nothing", "suppliers:view")
    with acting_as(person("sue", "nothing")):
        refusal(NotAllowed, kept)
        refusal(NotAllowed, choose, dear, "/suppliers")
