"""`inventory import`: what an operator sees, what is written, and the exit status."""

import getpass
import subprocess

import pytest
from sqlmodel import select

from inventory_app.models.catalog import Product
from inventory_app.models.suppliers import Supplier
from inventory_app.paths import OWNER_ROLE
from inventory_app.unit_of_work import open_session
from tests.fixtures.environment import clean_environment
from tests.setup.conftest import ANSWER_SECONDS, COMMAND

SUPPLIERS = "SupplierID;CompanyName\n9;PB Knäckebröd AB\n"
PRODUCTS = (
    "ProductID,ProductName,SupplierID,CategoryID,UnitPrice,UnitsInStock,ReorderLevel,Discontinued\n"
    "22,Gustaf's Knäckebröd,9,5,21,104,25,0\n"
    "23,Tunnbröd,9,5,9,3,25,0\n"
)


@pytest.fixture
def command(database, tmp_path):
    """Run `inventory import KIND FILE` on the test's database; the text is put into the file first."""
    environment = clean_environment(
        DATABASE_URL=database.url(),
        MIGRATION_DATABASE_URL=database.url(OWNER_ROLE),
        INVENTORY_DATA_DIR=tmp_path / "data",
    )

    def run(kind, text, *options, encoding="utf-8"):
        file = tmp_path / f"{kind}.csv"
        file.write_text(text, encoding=encoding)
        return subprocess.run(
            [*COMMAND, "import", kind, str(file), *options],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=ANSWER_SECONDS,
            check=False,
        )

    return run


def count(model):
    with open_session() as session:
        return len(session.exec(select(model)).all())


def test_it_looks_refuses_imports_and_recognises_a_file(command, trail):
    early = command("products", PRODUCTS)
    assert (early.returncode, early.stderr.splitlines()) == (
        1,
        [
            "2 of 2 rows cannot be imported, so none will be.",
            "  row 2, SupplierID: There is no supplier with the number 9. Import the suppliers first.",
            "  row 3, SupplierID: There is no supplier with the number 9. Import the suppliers first.",
        ],
    )
    assert command("suppliers", SUPPLIERS).stdout.splitlines()[-1] == "Imported 1 row of suppliers: 1 new."

    dry = command("products", PRODUCTS, "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert dry.stdout.splitlines() == [
        "products.csv: 2 rows of products",
        "  New             2",
        "  On hand         107 pcs opening stock of new products",
        "  Worth           2,211.00 USD at unit cost",
        "  To reorder      1 new products at or below their reorder point",
        "  row 2 · NW-22 · added",
        "  row 3 · NW-23 · added",
        "Note: New products have no cost in the file: their price becomes their unit cost.",
        "Note: 1 category is made: Category 5. A file of categories gives them their names.",
        "Dry run: nothing was written.",
    ]
    assert (count(Supplier), count(Product)) == (1, 0)

    assert command("products", PRODUCTS).returncode == 0
    assert (trail.last().actor_kind, trail.last().actor_name) == ("cli", f"cli:{getpass.getuser()}")
    assert command("categories", "CategoryID,CategoryName\n5,Grains\n").returncode == 0
    again = command("products", PRODUCTS)
    assert again.returncode == 1
    assert again.stderr.startswith("This file was imported on ")
    assert count(Product) == 2
    counted = command("stock", "sku,quantity\nNW-22,100\n")
    assert counted.stdout.splitlines()[-1] == "Imported 1 row of stock: 1 changed."
    assert "row 2 · NW-22 · quantity: 104.0 → 100" in counted.stdout
    only = command("products", "sku,name\nNW-22,Knäckebröd\n", "--only-add")
    assert (only.returncode, "NW-22 is in use already" in only.stderr) == (1, True)


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [("", 1, "The file is empty."), ("sku\nA\n", 1, "A file of products needs a column for Name.")],
)
def test_a_file_it_cannot_use_is_one_sentence(command, text, status, words):
    answer = command("products", text)
    assert answer.returncode == status
    assert words in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stdout == ""


def test_a_file_that_is_not_there_is_said_before_anything_is_started(command, tmp_path):
    answer = command("products", PRODUCTS, str(tmp_path / "other.csv"))
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
