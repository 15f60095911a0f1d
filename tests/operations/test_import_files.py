"""Reading files: whatever comes in is rows with their faults, or one sentence about what the file is instead."""

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inventory_app.errors import Invalid
from inventory_app.operations import _csv
from inventory_app.operations._csv import LARGEST_FILE, MOST_ROWS
from inventory_app.operations._import_columns import COLUMNS, plain
from inventory_app.operations._import_rows import read_file
from inventory_app.operations._numbers import style_of

KNOWN = {plain(name) for columns in COLUMNS.values() for names in columns.values() for name in names}
NORTHWIND = (
    "ProductID,ProductName,SupplierID,CategoryID,QuantityPerUnit,UnitPrice,UnitsInStock,UnitsOnOrder,"
    "ReorderLevel,Discontinued\n"
)
GUSTAF = "22,Gustaf's Knäckebröd,9,5,24 - 500 g pkgs.,21,104,0,25,0\n"


def sheet(text, encoding="utf-8"):
    return _csv.read(text.encode(encoding), KNOWN)


def products(text, encoding="utf-8"):
    return read_file("products", text.encode(encoding), "products.csv")


def suppliers(text):
    return read_file("suppliers", text.encode(), "suppliers.csv")


def faults(file):
    return [f"{row} {column}: {sentence}" for row, column, sentence in file.faults]


def refusal(content, kind="products"):
    with pytest.raises(Invalid) as caught:
        read_file(kind, content, "file.csv")
    return str(caught.value)


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
        (b"x" * (LARGEST_FILE + 1), "larger than 10 MB"),
        (b"sku,name\n" + b"A,B\n" * (MOST_ROWS + 1), f"more than {MOST_ROWS:,} rows"),
    ],
)
def test_it_says_in_one_sentence_what_is_wrong_with_a_file(content, words):
    said = refusal(content)
    assert words in said
    assert said.endswith(".")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_it_keeps_accents_with_and_without_a_byte_order_mark(encoding):
    file = products(NORTHWIND + GUSTAF, encoding)
    assert file.rows[0].new.name == "Gustaf's Knäckebröd"
    assert not [notice for notice in file.notices if "Windows" in notice]


def test_it_reads_windows_1252_and_says_so():
    file = products(NORTHWIND + GUSTAF, "cp1252")
    assert file.rows[0].new.name == "Gustaf's Knäckebröd"
    assert "Windows-1252" in file.notices[0]


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
    row = products(NORTHWIND + GUSTAF).rows[0]
    new = row.new
    assert (new.sku, new.name, new.description) == ("NW-22", "Gustaf's Knäckebröd", "24 - 500 g pkgs.")
    assert (new.unit_price, new.unit_cost, row.has_cost) == (21, 21, False)
    assert (row.quantity, new.reorder_point, new.active, new.unit_code) == (104, 25, True, "pcs")
    assert (row.supplier_number, row.category) == ("9", "5")


def test_it_reads_plain_columns_whatever_their_case_and_punctuation():
    file = products(
        "SKU;Name;Unit;Category;unit cost;UNIT_PRICE;Quantity;Reorder Point;reorder-quantity;barcode;supplier;active\n"
        "a-1;Salt;KG;Spices;1,5;2,25;0,125;3;10;4006381333931;Acme;no\n"
    )
    row = file.rows[0]
    new = row.new
    assert (new.sku, new.unit_code, new.active) == ("A-1", "kg", False)
    assert (new.unit_cost, new.unit_price) == (Decimal("1.5"), Decimal("2.25"))
    assert (row.quantity, new.reorder_quantity, row.barcode) == (Decimal("0.125"), 10, "4006381333931")
    assert (row.supplier_name, row.category, row.has_cost) == ("Acme", "Spices", True)
    assert not file.faults


def test_it_names_the_columns_it_leaves_out_if_they_hold_anything():
    file = products("sku,name,color,size,\nA,B,red,,\n")
    assert file.notices == ("Not imported, because there is no place for it here: color.",)
    many = products("sku,name," + ",".join(f"c{n}" for n in range(20)) + "\nA,B," + ",".join("x" * 20) + "\n")
    assert many.notices[0].endswith("c7 and 12 more.")


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("products", b"name,price\nA,1\n", "needs a column sku or item number or product number or ProductID"),
        ("products", b"sku,price\nA,1\n", "needs a column name or product. This one has: sku, price."),
        ("products", b"CompanyName\nA\n", "It looks like a file of suppliers."),
        ("suppliers", b"ProductID,ProductName\n1,A\n", "It looks like a file of products."),
        ("suppliers", b"CategoryID,CategoryName\n1,A\n", "It looks like a file of categories."),
        ("categories", b"code\n1\n", "needs a column name"),
        ("products", b"sku,name,product\nA,B,C\n", "The columns name and product mean the same."),
        ("products", b"sku,sku,name\nA,B,C\n", "The columns sku and sku mean the same."),
        ("suppliers", ",".join("abcdefghijklmnop").encode() + b"\nx\n", ", l, …."),
    ],
)
def test_it_says_which_column_is_missing_or_there_twice(kind, content, words):
    assert words in refusal(content, kind)


def test_every_fault_of_every_row_is_listed_by_row_and_column():
    file = products(
        "sku,name,UnitPrice,UnitsInStock,ReorderLevel,Discontinued,unit_cost\n"
        "A\0B,Salt,1,1,1,0,1\n"
        "B,,ten,-4,1.0000001,maybe,-1\n"
        ",Salt,1.23456,12345678901234,1,1,0.12345\n"
        f"{'C' * 41},Salt,1,1,1,1,1\n"
        "D,Salt\u202e,99999999999,1,1,1,1\n"
    )
    assert faults(file) == [
        "2 sku: There is a character in it that cannot be stored. Type it anew instead of pasting it.",
        "3 Discontinued: Enter 1 or 0 (or yes or no).",
        "3 UnitPrice: Enter a number such as 12 or 12.5.",
        "3 UnitsInStock: Enter 0 or more.",
        "3 name: Please fill this in.",
        "3 unit_cost: Enter 0 or more.",
        "4 UnitPrice: Use at most 4 decimals.",
        "4 UnitsInStock: This number is too large.",
        "4 sku: Please fill this in.",
        "4 unit_cost: Use at most 4 decimals.",
        "5 sku: Use at most 40 characters; this has 41.",
        "6 UnitPrice: This number is too large.",
        "6 name: There is an invisible character in it. Type it anew instead of pasting it.",
    ]


def test_a_price_that_is_also_the_cost_is_faulty_once():
    assert faults(products("sku,name,price\nA,Salt,1.23456\n")) == ["2 price: Use at most 4 decimals."]


def test_an_sku_that_grows_when_it_is_capitalised_is_measured_as_it_is_kept():
    assert faults(products(f"sku,name\n{'ß' * 21},Salt\n")) == ["2 sku: Enter an SKU of at most 40 characters."]


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
    file = suppliers(
        "SupplierID,CompanyName,ContactName,ContactTitle,Address,City,Region,PostalCode,Country,Phone,Fax,HomePage\n"
        "29,Forêts d'érables,Chantal Goulet,Accounting Manager,148 rue Chasseur,Ste-Hyacinthe,Québec,J2S 7S8,Canada,"
        "(514) 555-2955,(514) 555-2921,\n"
    )
    fields = file.rows[0].fields
    assert (file.rows[0].name, file.rows[0].external_id) == ("Forêts d'érables", "29")
    assert (fields["region"], fields["postal_code"], fields["fax"]) == ("Québec", "J2S 7S8", "(514) 555-2921")
    assert (fields["contact_title"], fields["website"], fields["message"]) == ("Accounting Manager", None, None)
    assert not file.faults


@pytest.mark.parametrize(
    ("typed", "website", "message"),
    [
        ("#CAJUN.HTM#", "CAJUN.HTM", None),
        ("G'day Mate#http://example.com/mate.htm#", "http://example.com/mate.htm", "Home page: G'day Mate"),
        ("https://example.com/#top", "https://example.com/#top", None),
    ],
)
def test_a_link_of_access_becomes_its_address_and_its_words_are_kept(typed, website, message):
    fields = suppliers(f"name,HomePage\nAcme,{typed}\n").rows[0].fields
    assert (fields["website"], fields["message"]) == (website, message)


def test_the_faults_of_a_supplier_are_named_and_its_other_fields_stay():
    file = suppliers(
        "name,email,phone,city,currency,fax\nAcme,nobody,x,Berlin,eur," + "9" * 41 + "\n,,,,,\n,a@b.example,,,,\n"
    )
    assert faults(file) == [
        "2 email: Enter an e-mail address such as ann@example.com.",
        "2 fax: Use at most 40 characters; this has 41.",
        "2 phone: Enter a phone number such as +45 43 84 41 08.",
        "4 name: Please fill this in.",
    ]
    fields = file.rows[0].fields
    assert (file.rows[0].name, fields["city"], fields["currency"], fields["email"]) == ("Acme", "Berlin", "EUR", None)
    assert file.rows[1].name == ""


def test_a_category_needs_code_and_name():
    file = read_file("categories", b"CategoryID,CategoryName\n1,Beverages\n,Nothing\n3,\n", "c.csv")
    assert [(row.code, row.name) for row in file.rows] == [("1", "Beverages"), ("", "Nothing"), ("3", "")]
    assert faults(file) == ["3 CategoryID: Please fill this in.", "4 CategoryName: Please fill this in."]


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


@settings(max_examples=400, deadline=None)
@given(content=st.one_of(st.binary(max_size=400), sheets(), damaged()), kind=st.sampled_from(sorted(COLUMNS)))
@example(content=b'sku,name\n"A', kind="products")
@example(content=b"\xef\xbb\xbf\xef\xbb\xbfsku,name\nA,B", kind="products")
def test_any_bytes_are_rows_with_faults_or_one_sentence(content, kind):
    refused: list[Invalid] = []
    try:
        file = read_file(kind, content, "file.csv")
    except Invalid as error:
        refused.append(error)
    if refused:
        assert str(refused[0]).endswith(".")
        return
    assert file.rows or file.faults
    for row, column, sentence in file.faults:
        assert row > 1
        assert column
        assert sentence.endswith(".")


@pytest.mark.parametrize(("columns", "more"), [(12, False), (13, True)])
def test_the_columns_it_has_instead_are_named_up_to_the_twelfth(columns, more):
    names = [f"c{number}" for number in range(1, columns + 1)]
    said = refusal((",".join(names) + "\n" + ",".join(names) + "\n").encode())
    assert (", ".join(names[:12]) + (", …" if more else "")) in said
    assert ("…" in said) is more
    assert "c13" not in said
