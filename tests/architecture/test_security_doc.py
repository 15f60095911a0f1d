"""docs/security.md promises in numbers what the code does, and about every sensitive operation what it asks for."""

import importlib
import pkgutil
import re

import pytest

from inventory_app import operations, passwords, pictures
from inventory_app.asgi_server import _HEADER_MILLISECONDS
from inventory_app.http import _requests, _sealed, bodies, single_sign_on
from inventory_app.operations import _attempts, _strangers, factors, import_runs, proving
from inventory_app.operations._approvals import KINDS
from inventory_app.operations._operation import OPERATIONS
from inventory_app.paths import PROJECT
from inventory_app.permissions import NEEDS_A_PERSON

PAGE = " ".join((PROJECT / "docs" / "security.md").read_text(encoding="utf-8").split())
WORDS = {3: "three", 5: "five", 10: "ten", 16: "16"}

for module in pkgutil.iter_modules(operations.__path__):
    importlib.import_module(f"{operations.__name__}.{module.name}")

PROMISES = {
    "how long a sign-in waits for its factor": (r"cookie that lives (\w+) minutes", WORDS[_sealed.SECONDS // 60]),
    "how long the way to the provider may take": (
        r"cookie that is good for (\w+) minutes",
        WORDS[single_sign_on.SECONDS // 60],
    ),
    "wrong codes": (r"(\w+) wrong codes end it", WORDS[proving.WRONG_PER_SIGN_IN].capitalize()),
    "where one is known": (r"succeeded in the last (\d+) days", str(_attempts.TRUSTED_FOR.days)),
    "how good a password must be": (r"score below (\d)", str(passwords.ENOUGH)),
    "recovery codes": (r"recovery codes \((\d+) random bits\)", str(8 * factors._CODE_BYTES)),
    "forms": (r"forms above (\d+) KB", str(_requests.FORM_LIMIT // 2**10)),
    "files": (r"files above (\d+) MB", str(import_runs.LARGEST_FILE // 2**20)),
    "heads": (r"head must arrive within (\d+) s", str(_HEADER_MILLISECONDS // 1000)),
    "bodies": (r"its body within (\d+) s", str(int(bodies.PATIENCE_SECONDS))),
    "slow lines": (r"a second for every (\d+) KB", str(bodies.SLOWEST_BYTES_PER_SECOND // 2**10)),
    "names tried by registering": (r"\((\d+) failures an hour", str(_strangers.FAILED_PER_ADDRESS)),
    "bodies that wait": (r"at most (\d+) bodies waiting", str(bodies.MOST_WAITING)),
}


@pytest.mark.parametrize("about", PROMISES)
def test_a_number_of_the_page_is_that_of_the_code(about: str):
    pattern, value = PROMISES[about]
    found = re.findall(pattern, PAGE)
    assert found == [value]


def test_no_picture_is_larger_than_what_the_page_says_of_files():
    assert pictures.LARGEST_FILE <= import_runs.LARGEST_FILE


#: What the page and docs/permissions.md call sensitive.
SENSITIVE = re.compile(
    r"roles\.(?!preview|role_)\w+|bulk_roles\.\w+|users\.(change_user_role|set_user_roles)"
    r"|accounts\.(invite_user|make_reset_link|update_own_email)|delegations\.delegate"
    r"|factors\.(begin_totp|confirm_totp|register_passkey|remove_factor|new_recovery_codes|reset_factors)"
    r"|payments\.(process_payment|process_batch|void_payment)"
    r"|supplier_accounts\.(invite_to_portal|give_portal_access_back)"
    r"|single_sign_on\.(connect|disconnect|disconnect_person)"
)


def test_everything_sensitive_asks_for_a_fresh_proof_and_nothing_else_does():
    asks = {name for name, declared in OPERATIONS.items() if declared.spec.fresh}
    assert asks == {name for name in OPERATIONS if SENSITIVE.fullmatch(name)}


def test_agreeing_asks_for_it_where_giving_a_role_changing_one_or_paying_does():
    fresh = {kind.name for kind in KINDS.values() if kind.fresh}
    assert fresh == {"role_grant", "role_safeguard", "payment", "payment_batch"}


def test_without_a_second_factor_one_reaches_only_what_sets_it_up_ends_sessions_or_signs_out():
    lets_in = {name for name, declared in OPERATIONS.items() if declared.spec.without_factor}
    assert {name.partition(".")[0] for name in lets_in} <= {
        "factors",
        "proving",
        "devices",
        "sessions",
        "single_sign_on",
        "back_channel",
    }
    assert {name for name in lets_in if name.startswith("single_sign_on.")} == {"single_sign_on.confirm"}
    assert "factors.begin_totp" in lets_in


def test_what_needs_a_person_is_never_given_to_machines():
    assert not [name for name, one in OPERATIONS.items() if one.spec.machine and one.spec.permission in NEEDS_A_PERSON]


def test_strangers_reach_only_the_way_in_and_applying():
    public = {name for name, declared in OPERATIONS.items() if declared.spec.public}
    assert {name.partition(".")[0] for name in public} == {
        "application_documents",
        "sessions",
        "proving",
        "users",
        "suppliers",
        "accounts",
        "single_sign_on",
        "back_channel",
    }
    assert {name for name in public if name.startswith(("users.", "suppliers.", "accounts."))} == {
        "users.register",
        "suppliers.apply_supplier",
        "accounts.redeem_link",
    }
