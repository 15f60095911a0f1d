"""What people do with invoices, as rules of a state machine, and what plain dictionaries say comes of it."""

from decimal import Decimal
from itertools import count
from typing import Any

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlmodel import select

from inventory_app.context import Actor, acting_as
from inventory_app.models.purchasing import SupplierInvoice
from inventory_app.operations import _matching, invoices
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, supplier
from tests.operations.papers import Placed, Want, becomes, came, credit, line, order, pay, record

#: Around what is ordered, and around what it may cost (10, and 2 per cent more).
QUANTITIES = st.integers(1, 12)
COSTS = st.sampled_from([Decimal(9), Decimal(10), Decimal("10.20"), Decimal(11)])
TAXES = st.sampled_from([0, 7])
#: Of the three lines that are ordered: two of one order, the second not kept in stock, and one of another order.
WANTED = (10, 6, 8)
LINES = st.integers(0, 2)
TYPED = st.lists(st.tuples(LINES, QUANTITIES, COSTS, TAXES), min_size=1, max_size=3)
_names = count(1)


class Invoices(RuleBasedStateMachine):
    """Papers about three lines of two orders, and the dictionaries that say how each must stand."""

    clerk: Actor
    boss: Actor

    def __init__(self) -> None:
        super().__init__()
        self.supplier = supplier(f"Supplier {next(_names)}", status="approved").id or 0
        one = order(self.supplier, Want(WANTED[0]), Want(WANTED[1], stock=False))
        two = order(self.supplier, Want(WANTED[2]))
        self.orders: list[Placed] = [one, two]
        self.ids = [one.lines[0], one.lines[1], two.lines[0]]
        self.received = [0, 0, 0]
        self.placed = [True, True]
        self.papers: dict[int, dict[str, Any]] = {}

    # What people do

    @rule(typed=TYPED)
    def record(self, typed):
        self._keep(record, typed, 1, None)

    @rule(typed=TYPED, about=st.integers(0, 20))
    def credit(self, typed, about):
        invoices_ = [id_ for id_, one in self.papers.items() if one["sign"] > 0 and one["status"] != "void"]
        self._keep(credit, typed, -1, invoices_[about % len(invoices_)] if invoices_ and about % 2 else None)

    def _keep(self, how, typed, sign, about):
        lines = [line(self.ids[at], quantity, cost, tax) for at, quantity, cost, tax in typed]
        more = {"supplier_id": self.supplier} if sign > 0 else {"supplier_id": self.supplier, "invoice_id": about}
        with acting_as(self.clerk):
            done = how(f"N{next(_names)}", *lines, **more)
        self.papers[done.invoice_id] = {
            "sign": sign,
            "lines": typed,
            "about": about,
            "status": "blocked",
            "agrees": False,
            "paid": Decimal(0),
            "number": done.number,
        }
        self._settle()
        assert done.status == self.papers[done.invoice_id]["status"]

    @rule(at=st.sampled_from([0, 2]), quantity=st.integers(0, 12))
    def receive_or_return(self, at, quantity):
        self.received[at] = quantity = min(quantity, 2 * WANTED[at])
        which = 1 if at == 2 else 0
        came(self.orders[which], at - 2 * which, quantity)
        self._settle()

    @rule(which=st.integers(0, 1))
    def place_or_cancel(self, which):
        self.placed[which] = not self.placed[which]
        becomes(self.orders[which], status="ordered" if self.placed[which] else "cancelled")
        self._settle()

    @precondition(lambda self: self._any(lambda one: not one["agrees"] and one["status"] in ("blocked", "matched")))
    @rule(at=st.integers(0, 20))
    def release(self, at):
        id_ = self._some(at, lambda one: not one["agrees"] and one["status"] in ("blocked", "matched"))
        with acting_as(self.boss):
            seen = read(invoices.invoice_detail, invoice_id=id_)
            transact(
                invoices.release_invoice, invoice_id=id_, version=seen.version, differences=seen.read, reason="agreed"
            )
        self.papers[id_]["status"] = "released"
        self._settle()

    @precondition(lambda self: self._any(self._voidable))
    @rule(at=st.integers(0, 20))
    def void(self, at):
        id_ = self._some(at, self._voidable)
        with acting_as(self.clerk):
            version = read(invoices.invoice_detail, invoice_id=id_).version
            transact(invoices.void_invoice, invoice_id=id_, version=version, reason="typed wrongly")
        self.papers[id_]["status"] = "void"
        self._settle()

    def _voidable(self, one):
        about = {other["about"] for other in self.papers.values() if other["status"] != "void"}
        return one["status"] != "void" and not one["paid"] and not any(self.papers[id_] is one for id_ in about if id_)

    @precondition(lambda self: self._any(self._payable))
    @rule(at=st.integers(0, 20), all_of_it=st.booleans())
    def pay(self, at, all_of_it):
        one = self.papers[self._some(at, self._payable)]
        gross = _gross(one)
        one["paid"] = gross if all_of_it else gross / abs(gross) * Decimal("0.01")
        pay(one["number"], one["paid"])

    @precondition(lambda self: self._any(lambda one: one["paid"]))
    @rule(at=st.integers(0, 20))
    def take_the_payment_back(self, at):
        one = self.papers[self._some(at, lambda one: one["paid"])]
        one["paid"] = Decimal(0)
        pay(one["number"], 0)
        self._settle()

    def _any(self, which):
        return any(which(one) for one in self.papers.values())

    def _some(self, at, which):
        found = [id_ for id_, one in self.papers.items() if which(one)]
        return found[at % len(found)]

    # What the dictionaries say

    def _payable(self, one):
        return one["status"] == "released" or (one["status"] == "matched" and one["agrees"])

    def _settle(self):
        there = {id_: one for id_, one in self.papers.items() if one["status"] != "void"}
        for sign in (-1, 1):
            for id_, one in there.items():
                if one["sign"] == sign:
                    one["agrees"] = self._agrees(there, id_, one)
                    if one["status"] != "released":
                        one["status"] = "matched" if one["agrees"] or one["paid"] else "blocked"

    def _agrees(self, there, id_, one):
        if one["sign"] < 0:
            about = there.get(one["about"])
            over = about is not None and -sum(
                _gross(other) for n, other in there.items() if other["about"] == one["about"] and n <= id_
            ) > _gross(about)
            return not over and all(self._credit_agrees(there, id_, one, at) for at in range(len(one["lines"])))
        return all(self._bill_agrees(there, id_, one, at) for at in range(len(one["lines"])))

    def _bill_agrees(self, there, id_, one, at):
        which, _, cost, tax = one["lines"][at]
        billed = _sum(there, which, 1, (id_, at)) - sum(
            quantity
            for other in there.values()
            if other["sign"] < 0 and other["status"] in ("matched", "released")
            for line_, quantity, *_ in other["lines"]
            if line_ == which
        )
        placed = self.placed[1 if which == 2 else 0]
        owed = (WANTED[1] if placed else 0) if which == 1 else self.received[which]
        return billed <= owed and cost <= Decimal("10.20") and tax == 0

    def _credit_agrees(self, there, id_, one, at):
        which, _, cost, tax = one["lines"][at]
        billed = [
            (n, typed)
            for n, other in there.items()
            if other["sign"] > 0
            for typed in other["lines"]
            if typed[0] == which
        ]
        about = [typed for n, typed in billed if n == one["about"]] or [typed for _, typed in billed]
        return (
            _sum(there, which, -1, (id_, at)) <= sum(typed[1] for _, typed in billed)
            and cost >= max((typed[2] for typed in about), default=0)
            and tax >= max((typed[3] for typed in about), default=0)
        )

    # What must hold

    @invariant()
    def every_paper_stands_as_the_dictionaries_say(self):
        def look(session):
            rows = session.exec(select(SupplierInvoice).where(SupplierInvoice.supplier_id == self.supplier)).all()
            return {row.id: (row.status, _matching.why_not_payable(row) == "") for row in rows}

        expected = {id_: (one["status"], self._payable(one)) for id_, one in self.papers.items()}
        assert arrange(look) == expected

    @invariant()
    def nothing_is_payable_that_is_neither_covered_nor_released(self):
        there = {id_: one for id_, one in self.papers.items() if one["status"] != "void"}
        for which in (0, 2):
            matched = sum(
                quantity
                for one in there.values()
                if one["sign"] > 0 and one["status"] == "matched" and one["agrees"]
                for line_, quantity, *_ in one["lines"]
                if line_ == which
            )
            credited = sum(
                quantity
                for one in there.values()
                if one["sign"] < 0 and one["status"] in ("matched", "released")
                for line_, quantity, *_ in one["lines"]
                if line_ == which
            )
            assert matched - credited <= self.received[which]

    @invariant()
    def the_amounts_are_the_sums_of_the_lines(self):
        def look(session):
            return session.execute(
                sa.text(
                    "SELECT i.id FROM supplier_invoice i JOIN supplier_invoice_line l ON l.invoice_id = i.id"
                    " GROUP BY i.id HAVING sum(l.net) <> i.net OR sum(l.tax) <> i.tax"
                )
            ).all()

        assert arrange(look) == []


def _sum(there, which, sign, upto):
    return sum(
        typed[1]
        for id_, other in there.items()
        if other["sign"] == sign
        for at, typed in enumerate(other["lines"])
        if typed[0] == which and (id_, at) <= upto
    )


def _gross(one):
    nets = [(quantity * cost, quantity * cost * tax / 100) for _, quantity, cost, tax in one["lines"]]
    return one["sign"] * sum((net + round(tax + Decimal("0.0000001"), 2) for net, tax in nets), Decimal(0))
