"""From whom can be ordered: approved and in date, said by one rule with two faces."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from inventory_app.models._base import now
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations._supplier_rules import can_be_ordered_from, why_not_order
from inventory_app.unit_of_work import open_session
from tests.factories import add

TODAY = now().date()
CASES = [
    ({"status": SupplierStatus.APPROVED}, ""),
    ({"status": SupplierStatus.APPROVED, "valid_until": TODAY}, ""),
    ({"status": SupplierStatus.APPROVED, "valid_until": TODAY + timedelta(days=1)}, ""),
    (
        {"status": SupplierStatus.APPROVED, "valid_until": TODAY - timedelta(days=2)},
        f"The approval of Lyngbysild ended on {TODAY - timedelta(days=2):%-d %b %Y}. Ask for it to be approved again.",
    ),
    (
        {"status": SupplierStatus.PENDING},
        "Lyngbysild waits for a decision. Nothing can be ordered from it before.",
    ),
    (
        {"status": SupplierStatus.REJECTED},
        "Lyngbysild was rejected. Nothing can be ordered from it before it is approved.",
    ),
    (
        {"status": SupplierStatus.SUSPENDED, "decision_reason": "Glass in a jar"},
        "The system suspended Lyngbysild: Glass in a jar",
    ),
]


@pytest.mark.parametrize(("values", "sentence"), CASES)
def test_only_an_approved_supplier_in_date_can_be_ordered_from(database, values, sentence):
    made = add(Supplier(name="Lyngbysild", **values))
    with open_session() as session:
        refusal = why_not_order(session, made)
        offered = session.scalar(sa.select(sa.func.count()).select_from(Supplier).where(can_be_ordered_from()))
    assert str(refusal or "") == sentence
    assert offered == (not sentence)


def test_it_is_said_who_suspended_a_supplier(ann):
    made = add(
        Supplier(
            name="Lyngbysild", status=SupplierStatus.SUSPENDED, decided_by=ann.id, decision_reason="Glass in a jar"
        )
    )
    with open_session() as session:
        assert str(why_not_order(session, made)) == "Ann suspended Lyngbysild: Glass in a jar"
