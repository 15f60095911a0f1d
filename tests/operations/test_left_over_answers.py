"""Answers people get where two things meet: an ended session, a request among others, a supplier nobody asked about."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col

from inventory_app.context import acting_as
from inventory_app.errors import Conflict
from inventory_app.models._base import now
from inventory_app.models.access import RecoveryCode
from inventory_app.models.approvals import Approval, ApprovalStatus
from inventory_app.models.users import AuthSession, LocalUser, Role
from inventory_app.operations import _approvals, _role_grant_kind, _trail_names, sessions, suppliers, users
from inventory_app.operations.home import home
from inventory_app.operations.suppliers import Decided
from inventory_app.unit_of_work import read, transact
from tests.factories import add, anonymous, arrange, person, supplier


def why_ended(token_hash: str | None) -> str:
    with acting_as(anonymous()):
        return read(sessions.why_ended, token_hash=token_hash)


def test_an_ended_session_says_why_it_ended(ada, bob):
    mine = bob.token_hash
    expired = {"expires_at": now() - timedelta(minutes=1)}
    arrange(lambda s: s.execute(sa.update(AuthSession).where(col(AuthSession.token_hash) == mine).values(**expired)))
    assert why_ended(mine) == "Your session has ended. Sign in again."
    with acting_as(ada):
        transact(users.deactivate_user, user_id=bob.id)
    assert why_ended(mine).startswith("Your account has been disabled.")
    arrange(lambda s: setattr(s.get_one(LocalUser, bob.id), "enabled", True))
    assert why_ended(mine).startswith("You were signed out")
    assert why_ended("a token that was replaced").startswith("You were signed in anew")


def test_a_request_of_another_kind_waits_on_the_start_page(ada):
    axel, bert = person("axel", "admin"), person("bert")
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "auditor").values(grant_needs_approval=True)))
    with acting_as(axel):
        transact(users.change_user_role, user_id=bert.id, role_name="auditor")
        assert read(home).others == 0, "who asked does not decide"
    with acting_as(ada):
        found = read(home)
    assert _approvals.KINDS[_role_grant_kind.KIND].label
    assert found.others == 1
    (asked,) = arrange(lambda s: s.scalars(sa.select(col(Approval.id))).all())
    assert [(row.kind, row.href, row.late) for row in found.waiting] == [("request", f"/approvals?id={asked}", False)]
    assert "Axel" in found.waiting[0].meta
    assert found.late == 0
    old = now() - timedelta(days=8)
    arrange(lambda s: s.execute(sa.update(Approval).values(requested_at=old)))
    with acting_as(ada):
        found = read(home)
    assert [row.late for row in found.waiting] == [True]
    assert found.late == 1


def test_a_supplier_nobody_asked_about_says_what_to_do(ada):
    acme = supplier("Acme")
    closed = sa.update(Approval).where(col(Approval.subject_id) == acme.id).values(status=ApprovalStatus.WITHDRAWN)
    arrange(lambda s: s.execute(closed))
    with acting_as(ada), pytest.raises(Conflict, match="Save it again"):
        transact(suppliers.approve_supplier, supplier_id=acme.id)


def test_one_of_two_agreements_is_said_as_one_of_two():
    assert suppliers.said(Decided(1, "Acme", "pending", 1, 2)) == (
        "You approved Acme: 1 of 2, so it waits for somebody else too"
    )
    assert suppliers.said(Decided(1, "Acme", "approved")) == "Approved Acme"


def test_records_of_a_person_are_called_after_them(bob):
    code = add(RecoveryCode(user_id=bob.id or 0, code_hash="x"))
    records = [("recovery_code", str(code.id)), ("user_picture", f"[{bob.id}]"), ("user_picture", "[4711]")]
    assert arrange(lambda s: _trail_names.record_names(s, records)) == dict.fromkeys(records[:2], "Bob")
