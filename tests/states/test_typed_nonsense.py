"""Numbers that nobody means, typed into every form of purchasing over the real websocket: said beside the field."""

from collections.abc import Iterator
from typing import Any

from inventory_app.states.due import PayState
from inventory_app.states.invoice_form import InvoiceFormState
from inventory_app.states.receipts import ReceiptState
from inventory_app.states.receiving import ReceiveState
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Site
from tests.fixtures.tab import Tab, event_name
from tests.states.handlers import EXAMPLES, make_things

TYPED = (
    "NaN", "-1", "1e999", "Infinity", "1_000", "0x10", "1,000", "9" * 30, "9" * 2_000, "0.00000000001", "٣", "=1+1",
    '<reflex.Var>{"var": 1}</reflex.Var>', "1;2",
)  # fmt: skip
NUMBERS = ("quantity", "unit_cost", "tax_percent", "amount", "rate", "gross")
FORMS = (
    PayState.process_payment,
    ReceiveState.receive_goods,
    ReceiptState.return_goods,
    InvoiceFormState.record,
)


def spoiled(form: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a form again and again, each time with one of its numbers replaced."""
    for name in form:
        if name.partition(":")[0] in NUMBERS:
            yield from (form | {name: typed} for typed in TYPED)


async def test_no_form_of_purchasing_takes_a_number_that_nobody_means(site: Site, site_trail: Trail):
    mona, things, wrong, tried = site.person("mona", "admin"), make_things(site), [], 0
    async with Tab(site.signed_in(mona), "/inventory") as tab:
        for handler in FORMS:
            for form in spoiled(EXAMPLES[event_name(handler)](things)["form"]):
                answer, tried = await tab.call(handler, form=form), tried + 1
                if (not answer.toasts and not answer.errors()) or "Something went wrong" in answer.text:
                    wrong.append((event_name(handler), form, answer.toasts))
    assert tried >= len(FORMS) * len(TYPED)
    assert not wrong
    assert not [line for line in site.log_lines() if line.get("event") == "unexpected_error"]
    assert not site_trail.operations(actor_name=mona.username, outcome="succeeded")
