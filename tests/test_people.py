"""Who is behind a session is remembered for a moment, and never longer than until it has changed."""

import asyncio

import pytest

from inventory_app import people
from inventory_app.context import acting_as
from inventory_app.operations import users
from inventory_app.unit_of_work import transact


@pytest.fixture(autouse=True)
def nobody_known():
    people.forget_everybody()


async def test_a_person_is_remembered_until_somebody_says_that_they_changed(ada, ann):
    before = await people.who(ann)
    assert before
    with acting_as(ada):
        transact(users.change_user_role, user_id=ann.id, role_name="employee")
    assert await people.who(ann) == before
    people.forget_person(ann.id)
    after = await people.who(ann)
    assert after
    assert after.roles == ("employee",)


@pytest.mark.parametrize("forget", ["the person", "the session", "everybody"])
async def test_an_answer_that_was_asked_for_before_a_change_is_not_remembered_after_it(ada, ann, forget):
    """The question is on its way when the change is made known: its answer may be that of before."""
    asking = asyncio.ensure_future(people.who(ann))
    await asyncio.sleep(0)
    assert not asking.done()
    if forget == "the person":
        people.forget_person(ann.id)
    elif forget == "the session":
        people.forget(ann.token_hash)
    else:
        people.forget_everybody()
    await asking
    with acting_as(ada):
        transact(users.change_user_role, user_id=ann.id, role_name="employee")
    after = await people.who(ann)
    assert after
    assert after.roles == ("employee",)
