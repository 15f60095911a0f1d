"""What the bank gets: SEPA credit transfers in the order the standard wants, and a table nothing runs in."""

import csv
import hashlib
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from inventory_app.context import acting_as
from inventory_app.errors import Conflict, NotAllowed, NotFound
from inventory_app.models.payments import PaymentBatch
from inventory_app.operations import payments
from inventory_app.operations._payment_files import NAMESPACE, OurAccount, Transfer, as_pain, plain
from inventory_app.settings import Settings
from inventory_app.unit_of_work import transact
from tests.factories import arrange, person, role, supplier
from tests.fixtures.database import forget_cached
from tests.operations.payables import account, agree, batch, day, found, invoice, payables, refused, void

OURS = "NO93 8601 1117 947"

#: The schema as ISO publishes it.
SCHEMA = xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / "pain.001.001.09.xsd"))
#: Of what every bank of the area takes.
TEXTS = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]+")


def is_valid(content):
    """See that a file is what the schema allows, and every text in it what every bank takes; returns its root."""
    SCHEMA.validate(content.removeprefix('<?xml version="1.0" encoding="UTF-8"?>\n'))
    root = ET.fromstring(content)  # noqa: S314  # our own
    for path in ("Nm", "Ustrd", "MsgId", "PmtInfId", "InstrId", "EndToEndId"):
        for one in root.iterfind(f".//{path}", {"": NAMESPACE}):
            text = one.text or ""
            assert TEXTS.fullmatch(text), text
            assert "//" not in text
            assert (text[0] != "/", text[-1] != "/", text.strip()) == (True, True, text)
    return root


@pytest.fixture
def acme(database, monkeypatch):
    monkeypatch.setenv("INVENTORY_BANK_IBAN", OURS)
    monkeypatch.setenv("INVENTORY_COMPANY", "Øst & Søn")
    forget_cached()
    made = payables()
    account(
        made.supplier_id,
        "FR1420041010050500013M02606",
        currency="EUR",
        holder="Société Générale, Müller",
        bic="SOGEFRPP",
    )
    made.more["euros"] = invoice(made.supplier_id, "100.10", "=R/2", currency="EUR").id or 0
    return made


def take(by, batch_id, kind="xml"):
    with acting_as(by):
        return transact(payments.take_payment_file, batch_id=batch_id, kind=kind)


def in_euros(acme):
    beta = supplier("Beta", status="approved").id or 0
    account(beta, "DE89370400440532013000", currency="EUR", holder="Beta")
    other = invoice(beta, 7, "B-1", currency="EUR").id or 0
    return batch(acme.paula, acme.more["euros"], other, rate=Decimal("1.1"), execute_on=day(3))


def test_a_sepa_file_is_valid_by_the_schema_of_the_standard(acme):
    made = in_euros(acme)
    file = take(acme.paula, made.batch_id)
    assert (file.name, file.media_type) == (f"{made.number}.xml", "application/xml; charset=utf-8")
    root = is_valid(file.content)

    def texts(path):
        return [one.text for one in root.iterfind(f".//{path}", {"": NAMESPACE})]

    assert texts("MsgId") == [made.number]
    assert (texts("NbOfTxs"), texts("CtrlSum")) == (["2", "2"], ["107.10", "107.10"])
    assert texts("InstdAmt") == ["100.10", "7.00"]
    assert [one.attrib for one in root.iterfind(".//InstdAmt", {"": NAMESPACE})] == [{"Ccy": "EUR"}] * 2
    assert texts("IBAN") == ["NO9386011117947", "FR1420041010050500013M02606", "DE89370400440532013000"]
    assert texts("BICFI") == ["SOGEFRPP"]
    assert texts("Nm") == ["Ost + Son", "Ost + Son", "Societe Generale, Muller", "Beta"]
    assert texts("Ustrd") == [".R/2", "B-1"]
    assert texts("ReqdExctnDt/Dt") == [day(3).isoformat()]
    assert texts("DbtrAgt/FinInstnId/Othr/Id") == ["NOTPROVIDED"]


def test_the_same_batch_is_the_same_file_and_its_sha256_is_kept(acme, monkeypatch, trail):
    made = in_euros(acme)
    first = take(acme.paula, made.batch_id)
    assert take(acme.quinn, made.batch_id) == first
    row = found(PaymentBatch, made.batch_id)
    assert row.file_sha256 == first.sha256 == hashlib.sha256(first.content.encode()).hexdigest()
    assert row.file_fetched_at
    assert trail.last(name="payments.take_payment_file").outcome == "succeeded"
    monkeypatch.setenv("INVENTORY_BANK_BIC", "DNBANOKK")
    forget_cached()
    assert "<BICFI>DNBANOKK</BICFI>" in take(acme.paula, made.batch_id).content


def test_a_table_runs_nothing(acme):
    made = in_euros(acme)
    rows = list(csv.reader(io.StringIO(take(acme.paula, made.batch_id, "csv").content)))
    assert rows[0] == ["Payment", "Day", "Amount", "Currency", "Account holder", "IBAN", "BIC", "Reference"]
    assert rows[1][2:] == [
        "100.10", "EUR", "Société Générale, Müller", "FR1420041010050500013M02606", "SOGEFRPP", "'=R/2",
    ]  # fmt: skip
    assert rows[2][6] == ""


def test_what_was_taken_back_is_left_out(acme):
    made = in_euros(acme)
    void(acme.quinn, 1)
    assert "<NbOfTxs>1</NbOfTxs>" in take(acme.paula, made.batch_id).content
    void(acme.quinn, 2)
    assert "nothing that the bank should carry out" in str(refused(take, acme.paula, made.batch_id))


def test_what_waits_is_no_file(acme, monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()
    made = in_euros(acme)
    assert "it waits" in str(refused(take, acme.paula, made.batch_id))
    agree(acme.quinn)
    assert take(acme.paula, made.batch_id).sha256


def test_no_file_names_an_account_that_is_not_used_any_more(acme):
    made = in_euros(acme)
    retire = "UPDATE supplier_bank_account SET status = 'retired' WHERE currency = 'EUR'"
    arrange(lambda session: session.connection().exec_driver_sql(retire))
    assert "is not used any more" in str(refused(take, acme.paula, made.batch_id))


def test_sepa_is_in_euros_from_an_account_of_ours(acme, monkeypatch):
    dollars = batch(acme.paula, acme.invoice_id)
    assert "A SEPA file is in EUR" in str(refused(take, acme.paula, dollars.batch_id))
    assert take(acme.paula, dollars.batch_id, "csv").content.count("\n") == 2
    monkeypatch.delenv("INVENTORY_BANK_IBAN")
    forget_cached()
    error = refused(take, acme.paula, in_euros(acme).batch_id)
    assert isinstance(error, Conflict)
    assert "INVENTORY_BANK_IBAN" in str(error)


def test_there_is_a_file_of_what_there_is_for_who_may(acme):
    made = in_euros(acme)
    assert isinstance(refused(take, acme.paula, 999_999), NotFound)
    assert isinstance(refused(take, acme.paula, made.batch_id, "pdf"), NotFound)
    assert isinstance(refused(take, person("ann", "manager"), made.batch_id), NotAllowed)
    role("blind", "payments:process", "payments:view")
    assert isinstance(refused(take, person("boris", "blind"), made.batch_id), NotAllowed)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Łódź — Æble & Søn", "Lodz - AEble + Son"),
        ("Ąžuolas Đorđe Þór", "Azuolas Dorde THor"),
        ("Αθήνα Ψωμί", "Athina PSomi"),
        ("Юлия Цой", "YUliya TSoy"),
        ("Київ", "Kiyiv"),
        ("½ kg_a\u00a0b", "1.2 kg-a b"),
        ("a//b/", "a/b"),
        ("/ a /////b / ", "a /b"),
        ("a///b / ", "a/b"),
        ("<Nm>&'\"\0\x1b]]>", ".Nm.+'......"),
        ("", "."),
        ("/", "."),
        ("漢字", ".."),
        ("x" * 80, "x" * 70),
    ],
)
def test_texts_are_written_in_the_letters_that_every_bank_takes(text, written):
    assert plain(text, 70) == written


CENTS = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("9999999999.99"), places=2)
TRANSFERS = st.builds(
    Transfer,
    number=st.from_regex(r"PAY-20[0-9]{2}-[0-9]{4,7}", fullmatch=True),
    amount=CENTS,
    holder=st.text(max_size=200),
    iban=st.sampled_from(["FR1420041010050500013M02606", "DE89370400440532013000"]),
    bic=st.sampled_from(["", "SOGEFRPP", "DNBANOKKXXX", "1234DE5M"]),
    reference=st.text(max_size=140),
)
OUR_ACCOUNTS = st.builds(
    OurAccount, company=st.text(max_size=200), iban=st.just("NO9386011117947"), bic=st.sampled_from(["", "DNBANOKK"])
)


@given(st.lists(TRANSFERS, min_size=1, max_size=4), OUR_ACCOUNTS, st.dates(date(2000, 1, 1)))
def test_whatever_people_and_invoices_are_called_the_file_is_valid(transfers, ours, on):
    made = as_pain(transfers, "BAT-2026-0001", datetime(2026, 11, 24, 1, 2, 3, 456, tzinfo=UTC), on, ours)
    root = is_valid(made.content)
    assert len(root.findall(".//CdtTrfTxInf", {"": NAMESPACE})) == len(transfers)


def test_the_schema_finds_what_is_wrong(acme):
    file = take(acme.paula, in_euros(acme).batch_id)
    for right, wrong in (("<PmtMtd>TRF<", "<PmtMtd>CASH<"), ('Ccy="EUR"', 'Ccy="Euro"'), ("FR14", "fr14")):
        with pytest.raises(xmlschema.XMLSchemaValidationError):
            is_valid(file.content.replace(right, wrong))


@pytest.mark.parametrize("bic", ["DNBA12KK", "dnbanokk", "DNBANOK"])
def test_our_own_bic_is_what_the_schema_takes(bic, monkeypatch):
    monkeypatch.setenv("INVENTORY_BANK_BIC", bic)
    with pytest.raises(ValueError, match="INVENTORY_BANK_BIC"):
        Settings()  # pyright: ignore[reportCallIssue]  # from the environment


@pytest.mark.parametrize("iban", ["NO9386011117948", "NO93", "hello"])
def test_our_own_account_is_an_iban(iban, monkeypatch):
    monkeypatch.setenv("INVENTORY_BANK_IBAN", iban)
    with pytest.raises(ValueError, match="must be an IBAN"):
        Settings()  # pyright: ignore[reportCallIssue]  # from the environment
    monkeypatch.setenv("INVENTORY_BANK_IBAN", OURS)
    assert Settings().bank_iban == "NO9386011117947"  # pyright: ignore[reportCallIssue]  # as above
