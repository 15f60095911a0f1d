"""Pictures and documents over HTTP: what is taken, what is handed out, and to whom."""

import io
import secrets
import zipfile
from urllib.parse import quote

import pytest
from PIL import Image

from inventory_app.context import acting_as
from inventory_app.errors import Conflict
from inventory_app.operations import documents, products
from inventory_app.operations._lists import View
from inventory_app.unit_of_work import read, transact
from tests import factories
from tests.fixtures.server import Person, Site, Visitor

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), **extra) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **extra)
    return out.getvalue()


def packed(*names: str, before: bytes = b"") -> bytes:
    out = io.BytesIO()
    out.write(before)
    with zipfile.ZipFile(out, "a") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return out.getvalue()


SHEET = packed("[Content_Types].xml", "xl/workbook.xml")


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("ann", "manager")


@pytest.fixture
def bolt(site: Site) -> int:
    return factories.product(secrets.token_hex(4).upper()).id or 0


def send(
    visitor: Visitor, bolt: int, content: bytes, name: str = "a.pdf", kind: str = "document", where: str = "", **form
):
    fields = {"kind": kind} | form
    return visitor.post_form(
        where or f"/documents/product/{bolt}", fields, files={"file": (name, content, "application/octet-stream")}
    )


def kept(person: Person, subject_id: int, subject: str = "product"):
    with acting_as(person.actor):
        return read(documents.documents_of, subject_type=subject, subject_id=subject_id)


@pytest.mark.parametrize(
    ("content", "name", "media_type", "saved"),
    [
        (PDF, "Data sheet.pdf", "application/pdf", "Data sheet.pdf"),
        (PDF, "../../etc/passwd", "application/pdf", "passwd.pdf"),
        (PDF, "C:\\evil\\run.exe", "application/pdf", "run.exe.pdf"),
        (PDF, 'a";\r\nX: 1.pdf', "application/pdf", None),
        (PDF, "Blåbær \u202efdp.pdf", "application/pdf", "Blåbær fdp.pdf"),
        (picture(), "scan.png", "image/png", "scan.png"),
        (picture("JPEG"), "scan.jpeg", "image/jpeg", "scan.jpeg"),
        (SHEET, "prices.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "prices.xlsx"),
        (b"sku;price\nA;1,5\n", "prices.csv", "text/csv; charset=utf-8", "prices.csv"),
        ("Größe\n".encode("cp1252"), "note.html", "text/plain; charset=utf-8", "note.html.txt"),
    ],
)
def test_a_document_is_kept_as_it_is_and_only_ever_downloaded(
    site: Site, ann: Person, bolt: int, content: bytes, name: str, media_type: str, saved: str | None
):
    visitor = site.signed_in(ann)
    assert send(visitor, bolt, content, name, expires_on="2031-02-28").headers["location"] == f"/products/{bolt}"
    (row,) = kept(ann, bolt)
    assert (row.kind, row.small, row.expires_on, row.added_by) == ("document", "", "2031-02-28", ann.username)
    answer = visitor.get(row.href)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, media_type)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(row.name, safe='')}"
    assert saved is None or row.name == saved
    assert not set(row.name) & set('/\\\r\n"\u202e')


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_encoded_anew_and_has_a_small_one(site: Site, ann: Person, bolt: int, kind: str):
    exif = Image.Exif()
    exif[0x010E] = "the secret place"
    sent = picture(kind, (3_000, 1_000), **({} if kind == "PNG" else {"exif": exif})) + b"<script>alert(1)</script>"
    visitor = site.signed_in(ann)
    send(visitor, bolt, sent, "x.svg", "image")
    (row,) = kept(ann, bolt)
    assert (row.kind, row.name) == ("image", "x.webp")
    large, small = visitor.get(row.href), visitor.get(row.small)
    for answer, width in ((large, 1_600), (small, 160)):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert "immutable" in answer.headers["cache-control"]
        assert Image.open(io.BytesIO(answer.content)).width == width
        assert b"script" not in answer.content
        assert b"secret place" not in answer.content
    with acting_as(ann.actor):
        listed = {one.id: one for one in read(products.list_products, view=View(size=100)).page.rows}
    assert listed[bolt].picture == row.small


BAD = {
    "nothing": (b"", "a.pdf"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.txt"),
    "svg behind a mark": (b"\xef\xbb\xbf \n<?xml version='1.0'?><svg/>", "a.csv"),
    "html": (b"<!doctype html><script>alert(1)</script>", "a.txt"),
    "script": (b"#!/bin/sh\nrm -rf /", "a.txt"),
    "program": (b"MZ\x90\x00" + b"\0" * 64, "a.pdf"),
    "gif": (b"GIF89a" + b"\0" * 32, "a.png"),
    "pdf cut off": (PDF[:20], "a.pdf"),
    "pdf behind html": (b"<html>" + PDF, "a.pdf"),
    "png and more": (picture() + b"<script>alert(1)</script>", "a.png"),
    "jpeg and more": (picture("JPEG") + SHEET, "a.jpg"),
    "png cut off": (picture()[:60], "a.png"),
    "zip": (packed("a.txt"), "a.xlsx"),
    "sheet with a program": (packed("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), "a.xlsx"),
    "sheet behind html": (packed("[Content_Types].xml", "xl/workbook.xml", before=b"<html>"), "a.xlsx"),
    "sheet cut off": (SHEET[:80], "a.xlsx"),
    "text with controls": (b"a\x00b", "a.txt"),
}


def encoded_anew(content: bytes, kind: str) -> bool:
    """Tell whether it is a picture sent as one: what stands behind it is gone with the encoding."""
    return kind == "image" and content.startswith((b"\x89PNG", b"\xff\xd8")) and len(content) > 60


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for kind in ("document", "image", "page")
        for name, (content, _) in BAD.items()
        if not encoded_anew(content, kind)
    ],
)
def test_what_is_something_else_than_it_says_is_refused(site: Site, ann: Person, bolt: int, name: str, kind: str):
    content = BAD[name]
    assert send(site.signed_in(ann), bolt, *content, kind).headers["location"] == f"/products/{bolt}"
    assert kept(ann, bolt) == []


@pytest.mark.parametrize("kind", ["document", "image"])
def test_bombs_are_refused(site: Site, ann: Person, bolt: int, kind: str):
    bomb = picture(size=(12_000, 12_000))
    assert len(bomb) < 2**20
    send(site.signed_in(ann), bolt, bomb, "a.png", kind)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", b"\0" * (201 * 2**20))
    assert len(out.getvalue()) < 2**20
    send(site.signed_in(ann), bolt, out.getvalue(), "a.xlsx", kind)
    assert kept(ann, bolt) == []


def test_a_file_that_is_too_large_is_refused(site: Site, ann: Person, bolt: int):
    send(site.signed_in(ann), bolt, b"a" * (10 * 2**20 + 1), "a.txt")
    assert kept(ann, bolt) == []


@pytest.mark.parametrize("where", ["/documents/local_user/1", "/documents/product/0", f"/documents/product/{2**63}"])
def test_a_record_that_has_no_documents_takes_none(site: Site, ann: Person, where: str):
    assert send(site.signed_in(ann), 0, PDF, where=where).status_code == 404


def test_a_day_and_a_file_are_asked_for_and_a_file_is_kept_once(site: Site, ann: Person, bolt: int):
    visitor = site.signed_in(ann)
    send(visitor, bolt, PDF, expires_on="soon")
    visitor.post_form(f"/documents/product/{bolt}", {"kind": "document"})
    assert kept(ann, bolt) == []
    send(visitor, bolt, PDF)
    send(visitor, bolt, PDF, "again.pdf")
    assert [row.name for row in kept(ann, bolt)] == ["a.pdf"]
    send(visitor, 999_999_999, PDF)


def test_only_who_may_change_the_record_sends_and_another_page_sends_nothing(site: Site, ann: Person, bolt: int):
    for visitor in (site.visitor(), site.signed_in(site.person("eve", "employee")), site.signed_in(site.person("bob"))):
        assert send(visitor, bolt, PDF).status_code == 303
    forged = site.signed_in(ann).post_form(
        f"/documents/product/{bolt}",
        {"kind": "document"},
        files={"file": ("a.pdf", PDF, "application/pdf")},
        headers={"Origin": "https://evil.example"},
    )
    assert forged.status_code == 403
    assert kept(ann, bolt) == []


def test_only_who_may_see_the_record_is_handed_its_documents(site: Site, ann: Person, bolt: int):
    acme = factories.supplier(f"Acme {secrets.token_hex(4)}").id or 0
    send(site.signed_in(ann), 0, PDF, where=f"/documents/supplier/{acme}")
    (row,) = kept(ann, acme, "supplier")
    assert site.signed_in(site.person("eve", "employee")).get(row.href).status_code == 200
    reader = f"reader-{secrets.token_hex(3)}"
    factories.role(reader, "products:view")
    for visitor in (site.visitor(), site.signed_in(site.person("bob")), site.signed_in(site.person("rita", reader))):
        assert visitor.get(row.href).status_code == 404
    visitor = site.signed_in(ann)
    assert visitor.get(row.href[:-4] + "0000").status_code == 404
    assert visitor.get(f"{row.href}/small").status_code == 404
    assert visitor.get(f"/documents/{2**63}/{'0' * 64}").status_code == 404
    bob = site.person("bob")
    assert kept(bob, acme, "supplier") == []


def test_a_removed_document_is_gone_and_the_fact_stays(site: Site, ann: Person, bolt: int):
    visitor = site.signed_in(ann)
    send(visitor, bolt, PDF)
    (row,) = kept(ann, bolt)
    with acting_as(ann.actor):
        assert transact(documents.remove_document, document_id=row.id).name == "a.pdf"
    assert visitor.get(row.href).status_code == 404
    assert kept(ann, bolt) == []
    with site.database.as_superuser() as owner:
        left = owner.execute(
            "SELECT name, removed_at IS NOT NULL, length(content), thumbnail FROM document"
            " JOIN document_content ON document_id = id WHERE id = %s",
            [row.id],
        ).fetchone()
        (first, last) = owner.execute(
            "SELECT after::jsonb ->> 'content' FROM audit_change WHERE table_name = 'document_content'"
            " AND pk = %s ORDER BY id",
            [f"[{row.id}]"],
        ).fetchall()
    assert left == ("a.pdf", True, 0, None)
    assert first != last
    assert first[0].startswith("sha256:")
    with acting_as(ann.actor), pytest.raises(Conflict, match="is removed already"):
        transact(documents.remove_document, document_id=row.id)


@pytest.mark.parametrize("digits", [19, 5_000])
def test_a_number_that_no_record_has_however_long_is_no_error_of_ours(site, ann, bolt, digits):
    """Python refuses to read very long numbers: a stranger could write a traceback into the log with each address."""
    number = "9" * digits
    browser = site.signed_in(ann)
    for visitor in (browser, site.visitor()):
        for path in (f"/documents/{number}/x", f"/pictures/{number}/x"):
            assert visitor.get(path).status_code == 404
        assert visitor.get(f"/import/{number}/errors.csv").status_code == 303
    assert send(browser, bolt, PDF, where=f"/documents/product/{number}").status_code == 404
    assert not [line for line in site.log_lines() if number in str(line)]
