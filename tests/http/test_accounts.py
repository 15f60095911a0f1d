"""One-time links and pictures over HTTP: who may post and fetch what, and what is made of a file."""

import io
import secrets
import struct

import pytest
from PIL import Image

from inventory_app.context import acting_as
from inventory_app.operations import accounts, users
from inventory_app.operations.sessions import hash_token
from inventory_app.unit_of_work import read, transact
from tests.fixtures.server import Person, Site, Visitor

NEW = "seven green bottles"


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), **extra) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **extra)
    return out.getvalue()


@pytest.fixture
def reset(site: Site) -> tuple[Person, str]:
    """Return somebody who was given a link to choose a new password, and its token."""
    ann, bob, token = site.person("ann", "admin"), site.person("bob", "employee"), secrets.token_urlsafe()
    site.secrets.add(token)
    with acting_as(ann.actor):
        transact(accounts.make_reset_link, user_id=bob.id, token_hash=hash_token(token), reason="lost")
    return bob, token


def choose(visitor: Visitor, token: str, password: str = NEW, **changed):
    return visitor.post_form("/auth/link", {"token": token, "password": password}, **changed)


def test_a_link_gives_a_new_password_once(site: Site, reset: tuple[Person, str]):
    bob, token = reset
    site.secrets.add(NEW)
    visitor = site.visitor()
    assert choose(visitor, token).headers["location"] == "/login"
    assert choose(site.visitor(), token).headers["location"] == "/link"
    assert visitor.sign_in(bob.username, NEW).headers["location"] == "/"


def test_a_weak_password_leaves_the_link_as_it_was(site: Site, reset: tuple[Person, str]):
    _, token = reset
    # Back with the link, or nothing that is chosen then could arrive.
    assert choose(site.visitor(), token, "short").headers["location"] == f"/link#{token}"
    assert choose(site.visitor(), token).headers["location"] == "/login"


@pytest.mark.parametrize("token", ["", "made up", "x" * 5_000, "\x00", "né"])
def test_a_made_up_link_opens_nothing(site: Site, token: str):
    assert choose(site.visitor(), token).headers["location"] == "/link"


def test_another_page_cannot_post_for_us(site: Site, reset: tuple[Person, str]):
    _, token = reset
    forged = choose(site.visitor(), token, headers={"Origin": "https://evil.example"})
    assert forged.headers.get("location") != "/login"
    assert choose(site.visitor(), token).headers["location"] == "/login"


def sent(visitor: Visitor, content: bytes, name: str = "me.png"):
    return visitor.post_form("/profile/picture", files={"picture": (name, content, "image/png")})


def address_of(person: Person) -> str:
    with acting_as(person.actor):
        return read(accounts.my_account).picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_encoded_anew_and_shown_to_who_is_signed_in(site: Site, kind: str):
    bob = site.person("bob", "employee")
    exif = Image.Exif()
    exif[0x010E] = "the secret place"
    extra = {} if kind == "PNG" else {"exif": exif}
    assert sent(site.signed_in(bob), picture(kind, **extra)).headers["location"] == "/profile"
    address = address_of(bob)
    colleague = site.signed_in(site.person("carol", "employee"))
    answer = colleague.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert "immutable" in answer.headers["cache-control"]
    assert b"secret place" not in answer.content
    assert Image.open(io.BytesIO(answer.content)).size == (256, 256)
    assert site.visitor().get(address).status_code == 404
    assert colleague.get(address[:-4] + "0000").status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        picture()[:60],
        picture("GIF"),
        b"%PDF-1.7 " + b"x" * 1000,
    ],
    ids=["empty", "stub", "svg", "cut off", "gif", "pdf"],
)
def test_what_is_no_picture_is_refused_and_nothing_is_kept(site: Site, content: bytes):
    bob = site.person("bob", "employee")
    visitor = site.signed_in(bob)
    assert sent(visitor, content).headers["location"] == "/profile"
    assert address_of(bob) == ""


def test_a_small_file_that_unpacks_to_gigabytes_is_refused(site: Site):
    bob = site.person("bob", "employee")
    bomb = picture(size=(12_000, 12_000))
    assert len(bomb) < 2**20
    assert sent(site.signed_in(bob), bomb).headers["location"] == "/profile"
    assert address_of(bob) == ""


def test_a_picture_is_upright_and_odd_exif_is_no_error(site: Site):
    """A resolution that is text, beside an orientation: Pillow's own turning writes all of it anew, and fails."""
    resolution, turned = (0x011A, 2, 1, ord("A")), (0x0112, 3, 1, 6)
    tags = b"".join(struct.pack("<HHII", *tag) for tag in (turned, resolution))
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + tags + struct.pack("<I", 0)
    image, out = Image.new("RGB", (90, 90), "black"), io.BytesIO()
    image.paste("white", (0, 0, 90, 30))
    image.save(out, "JPEG", exif=exif)
    bob = site.person("bob", "employee")
    visitor = site.signed_in(bob)
    assert sent(visitor, out.getvalue()).headers["location"] == "/profile"
    shown = Image.open(io.BytesIO(visitor.get(address_of(bob)).content)).convert("L")
    # What was on top stands on the right.
    assert shown.getpixel((240, 128)) > 200
    assert shown.getpixel((128, 10)) < 50


def test_a_stranger_sends_no_picture(site: Site):
    assert sent(site.visitor(), picture()).headers["location"].startswith(("/login", "/profile"))


def test_a_disabled_person_sees_no_pictures(site: Site):
    ann, bob = site.person("ann", "admin"), site.person("bob", "employee")
    sent(site.signed_in(bob), picture())
    address, visitor = address_of(bob), site.signed_in(bob)
    assert visitor.get(address).status_code == 200
    with acting_as(ann.actor):
        transact(users.deactivate_user, user_id=bob.id)
    assert visitor.get(address).status_code == 404


def test_the_trail_holds_the_hash_of_a_picture_and_not_the_picture(site: Site):
    bob = site.person("bob", "employee")
    sent(site.signed_in(bob), picture())
    with site.database.as_superuser() as owner:
        row = owner.execute(
            "SELECT after::jsonb ->> 'content' FROM audit_change WHERE table_name = 'user_picture' AND pk = %s",
            [f"[{bob.id}]"],
        ).fetchone()
    assert row[0].startswith("sha256:")
