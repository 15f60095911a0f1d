"""The business operations and the reads: the rules, and nothing of Reflex or HTTP.

What needs other people's agreement goes through one engine (`_approvals.py`), and every kind of it is named here: this
runs before any module of the package, so the engine, the lists and the start page know the same kinds whoever asks.
"""

from inventory_app.operations import (
    _approvals,
    _bank_account_kind,
    _order_approval,
    _payment_approvals,
    _price_approvals,
    _role_grant_kind,
    _role_safeguard_kind,
    _supplier_approvals,
    _supplier_corrections,
)

for _kind in (
    _supplier_approvals.SUPPLIER,
    _role_grant_kind.ROLE_GRANT,
    _role_safeguard_kind.ROLE_SAFEGUARD,
    _price_approvals.PRICE_CHANGE,
    _bank_account_kind.BANK_ACCOUNT,
    _order_approval.PURCHASE_ORDER,
    _payment_approvals.PAYMENT,
    _payment_approvals.PAYMENT_BATCH,
    _supplier_corrections.SUPPLIER_CORRECTION,
):
    _approvals.register(_kind)
