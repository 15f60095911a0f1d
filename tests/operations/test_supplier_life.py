"""A supplier under any sequence of what people can do to it, against what plain words say about its life.

The promises, told without the rules: it is approved only by somebody who has not entered or last edited it; name, tax
id and bank account of an approved one never change without its waiting again; money goes to no account that who entered
it has released; nothing is ordered from one that is not approved.
"""

from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlmodel import select

from inventory_app.context import Actor, acting_as
from inventory_app.errors import AppError
from inventory_app.models.payments import SupplierBankAccount
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import approvals, bank_accounts, supplier_bulk, supplier_standing, suppliers
from inventory_app.operations._supplier_fields import Details
from inventory_app.operations._supplier_rules import why_not_order
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import person, supplier
from tests.operations.test_iban import EXAMPLES

NAMES = {"ann": "manager", "ben": "manager", "dan": "admin", "mia": "accountant", "eve": "employee"}
#: Where everybody had a part nobody could decide: some mostly edit, others mostly decide. What ends a life is rare.
editors = st.sampled_from(["ann"] * 8 + ["ben", "mia"])
people = st.sampled_from(["ben", "dan"] * 4 + ["ann", "mia", "eve"])
now_and_then = st.sampled_from([False, False, True])


class Life(RuleBasedStateMachine):
    """Everything people can do to one supplier."""

    actors: ClassVar[dict[str, Actor]] = {}
    runs: ClassVar[int] = 0
    #: How often each of these was reached, in all runs.
    reached: ClassVar[dict[str, int]] = {}

    @initialize(who=st.sampled_from(["ann", "ann", "dan"]))
    def enter(self, who):
        type(self).runs += 1
        self.number = 0
        with acting_as(self.actors[who]):
            made = transact(suppliers.create_supplier, name=f"Quay {type(self).runs}")
        self.id = made.supplier_id
        #: Who entered it or edited it since the last decision, as this test saw it.
        self.parties = {who}
        self.essential = self._essential()
        self.status = "pending"

    def _row(self):
        with open_session() as session:
            return session.get_one(Supplier, self.id)

    def _accounts(self):
        with open_session() as session:
            return list(session.exec(select(SupplierBankAccount).where(SupplierBankAccount.supplier_id == self.id)))

    def _essential(self):
        row = self._row()
        return row.name, row.tax_id, sorted(one.id for one in self._accounts())

    def _do(self, who, operation, **arguments):
        """Try it as this person; tells whether it was done."""
        try:
            with acting_as(self.actors[who]):
                transact(operation, **arguments)
        except AppError:
            return False
        now_is = self._row().status
        self.reached[now_is] = self.reached.get(now_is, 0) + (now_is != self.status)
        return True

    @rule(who=people, together=st.booleans())
    def approve(self, who, together):
        before = self._row()
        if together:
            chosen = [(self.id, before.version)]
            done = self._do(who, supplier_bulk.decide_suppliers, chosen=chosen, approving=True, reason="Known")
        else:
            done = self._do(who, suppliers.approve_supplier, supplier_id=self.id, reason="Known")
        if done:
            assert before.status == "pending"
            assert who not in self.parties
            assert NAMES[who] in ("manager", "admin")
            self.parties = {who for who in self.parties if self.actors[who].id == before.entered_by}

    @rule(who=people, really=now_and_then)
    def reject(self, who, really):
        if not really:
            return
        before = self._row().status
        if self._do(who, suppliers.reject_supplier, supplier_id=self.id, reason="Too far"):
            assert before == "pending"
            assert who not in self.parties

    @rule(who=editors, what=st.sampled_from(["name", "tax_id", "city"]))
    def correct(self, who, what):
        self.number += 1
        row = self._row()
        given = {"tax_id": row.tax_id or "", "city": row.city or ""}
        name = row.name
        if what == "name":
            name = f"Quay {type(self).runs} {self.number}"
        else:
            given[what] = f"X{self.number}"
        arguments = {"version": row.version, "name": name, "details": Details(**given)}
        if self._do(who, suppliers.update_supplier, supplier_id=self.id, **arguments):
            self.parties.add(who)

    @rule(who=people)
    def suspend(self, who):
        before = self._row().status
        if self._do(who, supplier_standing.suspend_supplier, supplier_id=self.id, reason="Glass"):
            assert before == "approved"

    @rule(who=people)
    def reinstate(self, who):
        before = self._row()
        if self._do(who, supplier_standing.reinstate_supplier, supplier_id=self.id, reason="Mended"):
            assert before.status == "suspended"
            assert self.actors[who].id not in (before.entered_by, before.last_edited_by)
            if self._row().status == "pending":
                self.parties.add(who)

    @rule(who=editors)
    def ask_again(self, who):
        before = self._row().status
        if self._do(who, supplier_standing.ask_again, supplier_id=self.id):
            assert before == "approved"
            self.parties.add(who)

    @rule(who=editors)
    def new_account(self, who):
        self.number += 1
        given = {"version": self._row().version, "holder": "Quay", "iban": EXAMPLES[self.number % len(EXAMPLES)]}
        if self._do(who, bank_accounts.add_bank_account, supplier_id=self.id, **given):
            self.parties.add(who)

    @rule(who=people, yes=st.booleans())
    def decide_account(self, who, yes):
        with acting_as(self.actors[who]):
            rows = [row for row in read(bank_accounts.bank_accounts, supplier_id=self.id) if row.approval_id]
        for row in rows[:1]:
            operation = approvals.approve if yes else approvals.reject
            done = self._do(who, operation, approval_id=row.approval_id, reason="Called them")
            assert not done or row.entered != who.title()
            assert done == (row.why_not == "")

    @invariant()
    def what_is_essential_changes_only_while_it_waits_or_is_stopped(self):
        now_is, status = self._essential(), self._row().status
        if status == "approved" and self.status == "approved":
            assert now_is == self.essential
        self.essential, self.status = now_is, status

    @invariant()
    def nobody_releases_what_they_entered(self):
        assert all(one.released_by != one.entered_by for one in self._accounts() if one.status == "released")

    @invariant()
    def orders_go_to_it_only_when_it_is_approved(self):
        with open_session() as session:
            row = session.get_one(Supplier, self.id)
            assert (why_not_order(session, row) is None) == (row.status == "approved")

    @invariant()
    def a_decision_has_somebody_to_answer_for_it(self):
        row = self._row()
        assert (row.decided_by is None) == (row.status == "pending")
        assert row.status != "approved" or (row.approved_at is not None and row.decided_by is not None)


@pytest.mark.parametrize(("examples", "steps"), [(12, 30)])
def test_no_sequence_of_what_people_do_breaks_a_promise(examples, steps, database):
    supplier("Somebody else", status="approved")
    Life.actors = {name: person(name, role) for name, role in NAMES.items()}
    Life.runs, Life.reached = 0, {}
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        # The same paths each time: whether they get far enough is checked below.
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(Life, settings=chosen)
    assert set(Life.reached) == {"pending", "approved", "rejected", "suspended"}
    assert Life.reached["approved"] > 1
    assert Life.reached["suspended"] > 0
