"""Reading files: whatever comes in is rows with their faults, or one sentence about what the file is instead."""

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inventory_app import workbooks
from inventory_app.errors import Invalid
from inventory_app.operations import _csv, _import_cells, _import_files
from inventory_app.operations._csv import LARGEST_FILE, MOST_ROWS
from inventory_app.operations._import_columns import guessed, known_names, looks_like, missing, reader
from inventory_app.operations._import_fields import KINDS
from inventory_app.operations._numbers import style_of
from inventory_app.operations.import_runs import checked_mapping

KNOWN = set().union(*map(known_names, KINDS))
NORTHWIND = (
    "ProductID,ProductName,SupplierID,CategoryID,QuantityPerUnit,UnitPrice,UnitsInStock,UnitsOnOrder,"
    "ReorderLevel,Discontinued\n"
)
GUSTAF = "22,Gustaf's Knäckebröd,9,5,24 - 500 g pkgs.,21,104,0,25,0\n"


def sheet(text, encoding="utf-8"):
    return _csv.read(text.encode(encoding), KNOWN)


def read(kind, content):
    """Read bytes as a run does, its columns as they are guessed: rows and faults by number, and what was noticed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        looked = _import_files.look_at(path, known_names(kind))
        mapping = checked_mapping(kind, list(looked.header), guessed(kind, looked.header))
        found = list(_import_files.rows(path, looked.layout, looked.header))
    texts = [one.values[at] for one in found if not one.fault for at in mapping.values()]
    take = reader(kind, mapping, style_of(texts))
    rows, faults = {}, []
    for one in found:
        wrong = {}
        if one.fault:
            faults.append((one.number, *one.fault))
        else:
            rows[one.number] = take(one.values, wrong)
            faults += [(one.number, looked.header[mapping[field]], said) for field, said in wrong.items()]
    return rows, [f"{number} {column}: {said}" for number, column, said in sorted(faults)], looked.notices


def products(text, encoding="utf-8"):
    return read("products", text.encode(encoding))


def suppliers(text):
    return read("suppliers", text.encode())


def refusal(content, kind="products"):
    with pytest.raises(Invalid) as caught:
        read(kind, content)
    return " ".join(caught.value.fields.values()) or str(caught.value)


# What the file is


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b" \r\n\r\n", "empty"),
        (b"PK\x03\x04rest", "Excel workbook or a zip"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel workbook"),
        (b"%PDF-1.7", "PDF"),
        ("sku,name\nA,B\n".encode("utf-16"), "UTF-16"),
        ("sku,name\nA,B\n".encode("utf-16-le"), "not a text file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file"),
        (b"sku,name" + b",x" * 199 + b"\nA,B\n", "longer than a list of 200 columns"),
        (b"sku," + b"n" * 1_000_000 + b"\nA,B\n", "longer than a list of 200 columns"),
        (b"sku," + b"n" * 1_000_000, "longer than a list of 200 columns"),
        (b"sku,name\nA,\x81\n", "not a text file"),
        (b"sku,name\nA,\xe4\x01\n", "not a text file"),
        (b"\x00" * 1_000, "not a text file"),
        (b"sku,name\n", "a header and no rows"),
        (b"sku,name\n,\n , \n\n", "a header and no rows"),
        (b'"sku,name\nA,B\n', "first row cannot be read"),
    ],
)
def test_it_says_in_one_sentence_what_is_wrong_with_a_file(content, words):
    said = refusal(content)
    assert words in said
    assert said.endswith(".")
    # The other way to read, for small files, says the same.
    with pytest.raises(Invalid, match=words):
        _csv.read(content, KNOWN)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * (LARGEST_FILE + 1), "larger than 10 MB"),
        (b"sku,name\n" + b"A,B\n" * (MOST_ROWS + 1), f"more than {MOST_ROWS:,} rows"),
    ],
)
def test_what_is_read_into_memory_is_bounded(content, words):
    with pytest.raises(Invalid, match=words):
        _csv.read(content, KNOWN)


def test_a_file_has_so_many_rows_and_no_more(monkeypatch):
    monkeypatch.setattr(_import_files, "MOST_ROWS", 2)
    rows, _, _ = products("sku,name\nA,B\n\nC,D\n")
    assert list(rows) == [2, 4]
    assert "more than 2 rows" in refusal(b"sku,name\nA,B\nC,D\nE,F\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_it_keeps_accents_with_and_without_a_byte_order_mark(encoding):
    rows, _, notices = products(NORTHWIND + GUSTAF, encoding)
    assert rows[2]["name"] == "Gustaf's Knäckebröd"
    assert notices == ()


def test_it_reads_windows_1252_and_says_so():
    rows, _, notices = products(NORTHWIND + GUSTAF, "cp1252")
    assert rows[2]["name"] == "Gustaf's Knäckebröd"
    assert "Windows-1252" in notices[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_it_finds_delimiter_and_line_ends_by_itself(delimiter, end):
    rows = [["sku", "name"], ["A", '"one, two; three\tfour"'], ["B", "plain"]]
    found = sheet(end.join(delimiter.join(row) for row in rows))
    assert [line.values for line in found.lines] == [("A", "one, two; three\tfour"), ("B", "plain")]


def test_rows_are_numbered_as_a_spreadsheet_shows_them():
    found = sheet('sku,name\nA,"two\nlines"\n\n,\nB,x\nC\n')
    assert [line.number for line in found.lines] == [2, 5]
    assert found.lines[0].values == ("A", "two\nlines")
    assert found.faults == ((6, "name", "is missing: the row has 1 values and the header 2 names."),)


def test_a_row_with_more_values_than_columns_is_a_fault_and_empty_ones_are_none():
    found = sheet("sku,name,\nA,B,,,\nA,B,,C\nA,B,C\n")
    assert [line.number for line in found.lines] == [2, 4]
    assert [(row, column) for row, column, _ in found.faults] == [(3, "column 3")]
    assert "quotation marks" in found.faults[0][2]


@pytest.mark.parametrize("row", ['C,"never closed', 'C,"closed"badly', f'C,"{"x" * 140_000}"'])
def test_reading_stops_at_a_broken_row_and_keeps_what_came_before(row):
    found = sheet(f"sku,name\nA,B\n{row}\nD,E\n")
    assert [line.number for line in found.lines] == [2]
    assert [(number, column) for number, column, _ in found.faults] == [(3, "sku")]


# What its columns mean


def test_it_reads_every_column_of_northwind():
    rows, faults, _ = products(NORTHWIND + GUSTAF)
    assert rows[2] == {
        "sku": "NW-22",
        "_sku": "nw-22",
        "name": "Gustaf's Knäckebröd",
        "_name": "gustaf's knackebrod",
        "supplier_number": "9",
        "category": "5",
        "description": "24 - 500 g pkgs.",
        "unit_price": "21",
        "quantity": "104",
        "reorder_point": "25",
        "active": True,
    }
    assert faults == []


def test_it_reads_plain_columns_whatever_their_case_and_punctuation():
    rows, faults, _ = products(
        "SKU;Name;Unit;Category;unit cost;UNIT_PRICE;Quantity;Reorder Point;reorder-quantity;barcode;supplier;active\n"
        "a-1;Salt;KG;Spices;1,5;2,25;0,125;3;10;4006381333931;Acme;no\n"
    )
    row = rows[2]
    assert (row["sku"], row["unit"], row["active"]) == ("A-1", "KG", False)
    assert (row["unit_cost"], row["unit_price"], row["quantity"]) == ("1.5", "2.25", "0.125")
    assert (row["reorder_quantity"], row["barcode"]) == ("10", "4006381333931")
    assert (row["supplier_name"], row["category"]) == ("Acme", "Spices")
    assert faults == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("036000291452", "0036000291452"),
        ("0036000 291452", "0036000291452"),
        ("00036000291452", "0036000291452"),
        ("96385074", "96385074"),
        ("HOUSE-1 a", "HOUSE-1 a"),
        ("12345", "12345"),
    ],
)
def test_a_barcode_is_kept_as_the_form_keeps_it(typed, kept):
    rows, faults, _ = products(f"sku,name,barcode\nA,B,{typed}\n")
    assert (rows[2]["barcode"], faults) == (kept, [])


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("products", b"name,price\nA,1\n", "A file of products needs a column for SKU or Product number."),
        ("products", b"sku,price\nA,1\n", "A file of products needs a column for Name."),
        ("products", b"CompanyName\nA\n", "It looks like a file of suppliers."),
        ("suppliers", b"ProductID,ProductName\n1,A\n", "It looks like a file of products."),
        ("suppliers", b"CategoryID,CategoryName\n1,A\n", "It looks like a file of categories."),
        ("categories", b"code\n1\n", "needs a column for Name"),
        ("suppliers", ",".join("abcdefghijklmnop").encode() + b"\nx\n", "needs a column for Name."),
    ],
)
def test_it_says_which_column_is_missing_and_what_the_file_looks_like(kind, content, words):
    assert words in refusal(content, kind)


def test_of_two_columns_that_mean_the_same_the_first_is_taken():
    assert guessed("products", ["sku", "name", "Product", "sku"]) == {"sku": 0, "name": 1}
    assert missing("products", {"number", "name"}) == []
    assert looks_like("products", ["colour"]) is None


@pytest.mark.parametrize("mapping", [{"sku": 0, "name": 0}, {"sku": 0, "name": 9}, {"sku": 0, "colour": 1}])
def test_a_choice_of_columns_that_is_none_is_refused(mapping):
    with pytest.raises(Invalid):
        checked_mapping("products", ["a", "b"], mapping)


def test_every_fault_of_every_row_is_listed_by_row_and_column():
    _, faults, _ = products(
        "sku,name,UnitPrice,UnitsInStock,ReorderLevel,Discontinued,unit_cost,lead time\n"
        "A\0B,Salt,1,1,1,0,1,1\n"
        "B,,ten,-4,1.0000001,maybe,-1,1.5\n"
        ",Salt,1.23456,12345678901234,1,1,0.12345,\n"
        f"{'C' * 41},Salt,1,1,1,1,1,9999\n"
        "D,Salt\u202e,99999999999,1,1,1,1,14\n"
    )
    assert faults == [
        "2 sku: There is a character in it that cannot be stored. Type it anew instead of pasting it.",
        "3 Discontinued: Enter 1 or 0 (or yes or no).",
        "3 ReorderLevel: Use at most 3 decimals.",
        "3 UnitPrice: Enter a number such as 12 or 12.5.",
        "3 UnitsInStock: Enter 0 or more.",
        "3 lead time: Enter a number of days, such as 14.",
        "3 name: Please fill this in.",
        "3 unit_cost: Enter 0 or more.",
        "4 UnitPrice: Use at most 4 decimals.",
        "4 UnitsInStock: This number is too large.",
        "4 sku: Please fill this in.",
        "4 unit_cost: Use at most 4 decimals.",
        "5 lead time: Enter a number of days, such as 14.",
        "5 sku: Use at most 40 characters; this has 41.",
        "6 UnitPrice: This number is too large.",
        "6 name: There is an invisible character in it. Type it anew instead of pasting it.",
    ]


def test_an_sku_that_grows_when_it_is_capitalised_is_measured_as_it_is_kept():
    assert products(f"sku,name\n{'ß' * 21},Salt\n")[1] == ["2 sku: Enter an SKU of at most 40 characters."]


def test_the_first_of_number_and_sku_counts_and_both_words_for_in_use_must_agree():
    rows, faults, _ = products("sku,ProductID,name,active,Discontinued\nA,7,Salt,yes,1\n,7,Oil,yes,0\n,,Tea,,\n")
    assert [(row.get("sku"), row.get("active")) for row in rows.values()] == [
        ("A", False),
        ("NW-7", True),
        (None, None),
    ]
    assert faults == ["4 sku: Please fill this in."]


def test_other_cells_are_read_as_they_are_meant():
    rows, faults, _ = read("locations", b"code,name,kind\nnorth,North,LOSS\nsouth,South,moon\n")
    assert (rows[2]["code"], rows[2]["kind"]) == ("NORTH", "loss")
    assert faults == ["3 kind: Use one of storage, transit, loss, supplier, customer."]
    rows, faults, _ = read("stock", b"sku,quantity,expires\nA,1,2027-3-1 00:00:00\nA,1,31.3.2027\nA,1,2027-02-30\n")
    assert rows[2]["expires_on"] == "2027-03-01"
    assert faults == ["3 expires: Enter a day as 2027-03-31.", "4 expires: Enter a day as 2027-03-31."]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["12", "12.5", "-3", "0012", "-0"], [Decimal(12), Decimal("12.5"), Decimal(-3), Decimal(12), Decimal(0)]),
        (["12,5", "3", "1,234"], [Decimal("12.5"), Decimal(3), Decimal("1.234")]),
        (["12,5", "12.5"], [Decimal("12.5"), "this file writes decimals with a comma"]),
        (["12.5", "1,234"], [Decimal("12.5"), "1,234 can mean two numbers. Write 1234 or 1.234."]),
        (["1e5", "NaN", "٣", "1 000", "$5", "1,234.50"], ["Enter a number such as 12 or 12.5."] * 6),
        (["9" * 21, "1." + "1" * 21, "", "-0,5"], ["Enter a number", "Enter a number", None, Decimal("-0.5")]),
    ],
)
def test_a_number_is_read_as_its_file_writes_numbers_and_never_guessed(cells, numbers):
    style = style_of(cells)
    for cell, expected in zip(cells, numbers, strict=True):
        if isinstance(expected, str):
            with pytest.raises(ValueError, match=expected):
                style.number(cell)
        else:
            assert style.number(cell) == expected


def test_a_supplier_keeps_its_number_and_every_field():
    rows, faults, _ = suppliers(
        "SupplierID,CompanyName,ContactName,ContactTitle,Address,City,Region,PostalCode,Country,Phone,Fax,HomePage\n"
        "29,Forêts d'érables,Chantal Goulet,Accounting Manager,148 rue Chasseur,Ste-Hyacinthe,Québec,J2S 7S8,Canada,"
        "(514) 555-2955,(514) 555-2921,\n"
    )
    fields = rows[2]
    assert (fields["name"], fields["external_id"]) == ("Forêts d'érables", "29")
    assert (fields["region"], fields["postal_code"], fields["fax"]) == ("Québec", "J2S 7S8", "(514) 555-2921")
    assert fields["contact_title"] == "Accounting Manager"
    assert not {"website", "message"} & fields.keys()
    assert faults == []


@pytest.mark.parametrize(
    ("typed", "note", "website", "message"),
    [
        ("#CAJUN.HTM#", "", "CAJUN.HTM", None),
        ("G'day Mate#http://example.com/m.htm#", "", "http://example.com/m.htm", "Home page: G'day Mate"),
        ("G'day#http://example.com/m.htm#", "Call first", "http://example.com/m.htm", "Call first\nHome page: G'day"),
        ("https://example.com/#top", "", "https://example.com/#top", None),
    ],
)
def test_a_link_of_access_becomes_its_address_and_its_words_are_kept(typed, note, website, message):
    rows, faults, _ = suppliers(f"name,HomePage,note\nAcme,{typed},{note}\n")
    assert (rows[2]["website"], rows[2].get("message"), faults) == (website, message, [])


def test_the_faults_of_a_supplier_are_named_and_its_other_fields_stay():
    rows, faults, _ = suppliers(
        "name,email,phone,city,currency,fax,note,HomePage\n"
        "Acme,nobody,x,Berlin,eur," + "9" * 41 + ",zwölf,a\0b#x.example#\n,,,,,,,\n,a@b.example,,,,,n\0n,\n"
    )
    assert faults == [
        "2 HomePage: There is a character in it that cannot be stored. Type it anew instead of pasting it.",
        "2 email: Enter an e-mail address such as ann@example.com.",
        "2 fax: Use at most 40 characters; this has 41.",
        "2 phone: Enter a phone number such as +45 43 84 41 08.",
        "4 name: Please fill this in.",
        "4 note: There is a character in it that cannot be stored. Type it anew instead of pasting it.",
    ]
    fields = rows[2]
    assert (fields["name"], fields["city"], fields["currency"], fields["message"]) == ("Acme", "Berlin", "EUR", "zwölf")
    assert "email" not in fields


def test_a_category_needs_code_and_name():
    rows, faults, _ = read("categories", b"CategoryID,CategoryName\n1,Beverages\n,Nothing\n3,\n")
    assert [(row.get("code"), row.get("name")) for row in rows.values()] == [
        ("1", "Beverages"),
        (None, "Nothing"),
        ("3", None),
    ]
    assert faults == ["3 CategoryID: Please fill this in.", "4 CategoryName: Please fill this in."]


# Whatever comes in

cells = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "1", "12.5", "12,5", "1,234", "-1", "1e999", "99999999999999", "yes", '"', "=1+1", "\x00", "ﷺ"]
    ),
)
headers = st.sampled_from(sorted(KNOWN | {"", "color"}))


@st.composite
def sheets(draw):
    names = draw(st.lists(headers, min_size=1, max_size=8)) + draw(st.sampled_from([[], ["sku", "name"], ["name"]]))
    rows = draw(st.lists(st.lists(cells, min_size=0, max_size=len(names) + 1), max_size=6))
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    quoted = draw(st.booleans())

    def written(row):
        return delimiter.join('"' + cell.replace('"', '""') + '"' if quoted else cell for cell in row)

    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(written(row) for row in [names, *rows])
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "latin-1"])), "replace")


@st.composite
def damaged(draw):
    """Return a good file in which some bytes were changed, taken out or put in."""
    content = bytearray((NORTHWIND + GUSTAF * 3).encode())
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        piece = draw(st.one_of(st.binary(max_size=4), st.sampled_from([b'"', b",", b"\n", b"\r", b"\x00", b"\xff"])))
        content[at : at + draw(st.integers(0, 3))] = piece
    return bytes(content)


@settings(max_examples=300, deadline=None)
@given(content=st.one_of(st.binary(max_size=400), sheets(), damaged()), kind=st.sampled_from(KINDS))
@example(content=b'sku,name\n"A', kind="products")
@example(content=b"\xef\xbb\xbf\xef\xbb\xbfsku,name\nA,B", kind="products")
def test_any_bytes_are_rows_with_faults_or_one_sentence(content, kind):
    refused: list[Invalid] = []
    try:
        rows, faults, _ = read(kind, content)
    except Invalid as error:
        refused.append(error)
    if refused:
        assert str(refused[0]).endswith(".")
        return
    assert rows or faults
    assert all(number > 1 for number in rows)
    assert all(fault.endswith(".") for fault in faults)


def test_windows_text_with_control_characters_is_no_text():
    with pytest.raises(Invalid) as refused:
        _csv.read(b"sku,name\nA,Caf\xe9 \x01\n", KNOWN)
    assert str(refused.value) == _csv.NOT_TEXT


def test_quotes_that_are_broken_far_down_are_a_fault_of_their_row():
    good = "".join(f"A{number},Salt\n" for number in range(100))
    rows, faults, _ = read("products", f'sku,name\n{good}B,"Pep"per\nC,Mint\n'.encode())
    assert len(rows) == 100
    assert faults == [f"102 sku: {_csv.BROKEN_QUOTES}"]


def test_nothing_is_read_behind_broken_quotes(tmp_path):
    path = tmp_path / "file"
    path.write_text('sku\nA\n"B"C\nD\n')
    assert [*_import_files._records(path, _import_files.Layout("utf-8", ","))] == [["sku"], ["A"], None]


def test_prices_in_windows_text_are_read_and_that_is_said():
    assert _csv.read("sku;price\nCAFÉ;1\n".encode("cp1252"), {"sku", "price"}).notices == (_csv.READ_AS_WINDOWS,)


def test_a_row_without_an_sku_has_none():
    rows, _, _ = read("products", b"sku,name,price\n,Salt,1\nA,Salt,1\n")
    assert [row.get("sku") for row in rows.values()] == [None, "A"]
    assert _import_cells.sku("  ", style_of([])) is None


def test_a_workbook_that_takes_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_import_files, "_MOST_SECONDS", 0)
    path = tmp_path / "file"
    path.write_bytes(b"PK\x03\x04 and more")
    with pytest.raises(Invalid) as refused:
        _import_files.as_text(path)
    assert str(refused.value) == workbooks.TOO_LARGE
