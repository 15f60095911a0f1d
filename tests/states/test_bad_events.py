"""What no page of ours sends, over the real websocket: nothing changes, nothing breaks, the next event is served."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from inventory_app.states.auth import AuthState
from inventory_app.states.inventory import InventoryState
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Site
from tests.fixtures.tab import HYDRATE, ROOT, Tab, event_name
from tests.states.handlers import EXAMPLES, make_things, parts

LOAD = event_name(InventoryState.load)
UPDATE_VARS = f"{ROOT}.reflex___state____update_vars_internal_state.update_vars_internal"
AUTH = event_name(AuthState.load_public).rpartition(".")[0]
WHERE = {"pathname": "/inventory", "asPath": "/inventory", "query": {}}

#: No field of any form takes one of these.
NOWHERE_RIGHT: dict[str, Any] = {
    "an object": {"a": {"b": [1, {"c": None}]}},
    "a list in a list": [[1], [2]],
    "NUL": "a\0b",
    "half a surrogate pair": "\ud800",
    "half a megabyte": "x" * 500_000,
    "a float of 300 digits": 1e300,
    "a number beyond every column": 2**70,
}

#: Whole messages that are no events of ours.
NO_EVENTS: dict[str, Any] = {
    "text": "garbage",
    "a number": 5,
    "nothing": None,
    "a list": [1, 2],
    "an empty object": {},
    "no payload": {"name": LOAD, "router_data": WHERE},
    "no name": {"payload": {}, "router_data": WHERE},
    "a name that is an object": {"name": {"a": 1}, "payload": {}, "router_data": WHERE},
    "a name of 100,000 letters": {"name": "x" * 100_000, "payload": {}, "router_data": WHERE},
    "a name with NUL": {"name": f"{LOAD}\0", "payload": {}, "router_data": WHERE},
    "a payload that is text": {"name": LOAD, "payload": "text", "router_data": WHERE},
    "a payload that is a list": {"name": LOAD, "payload": [1], "router_data": WHERE},
    "a payload that is null": {"name": LOAD, "payload": None, "router_data": WHERE},
    "self in the payload": {"name": LOAD, "payload": {"self": 1}, "router_data": WHERE},
    "router data that is text": {"name": LOAD, "payload": {}, "router_data": "text"},
    "router data without a path": {"name": LOAD, "payload": {}, "router_data": {}},
    "a path that is a number": {"name": LOAD, "payload": {}, "router_data": WHERE | {"pathname": 5, "asPath": 5}},
    "a query that is text": {"name": LOAD, "payload": {}, "router_data": WHERE | {"query": "q"}},
    "headers of its own": {"name": LOAD, "payload": {}, "router_data": WHERE | {"headers": {"cookie": "session=x"}}},
    "a framework event with more": {"name": HYDRATE, "payload": {"vars": 5, "hashes": 5}, "router_data": WHERE},
    "vars of a State that does not exist": {"name": UPDATE_VARS, "payload": {"vars": {"a.b": 1}}, "router_data": WHERE},
    "vars in a list": {"name": UPDATE_VARS, "payload": {"vars": [1]}, "router_data": WHERE},
    "an error report that is an object": {
        "name": f"{ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception",
        "payload": {"info": {"a": 1}, "component_stack": [1]},
        "router_data": WHERE,
    },
    "a framework event with another argument": {
        "name": f"{ROOT}.hydrate",
        "payload": {"a": 1},
        "router_data": WHERE,
    },
}


def spoiled(payload: dict[str, Any], value: Any) -> Iterator[dict[str, Any]]:
    """Give the payload again and again, each time with one value of it replaced, at every depth."""
    for name, good in payload.items():
        yield payload | {name: value}
        if isinstance(good, dict):
            yield from (payload | {name: worse} for worse in spoiled(good, value))
        if isinstance(good, list):
            yield payload | {name: [value]}
            yield from (
                payload | {name: [worse]} for row in good if isinstance(row, dict) for worse in spoiled(row, value)
            )


def unexpected(site: Site) -> list[dict[str, Any]]:
    return [line for line in site.log_lines() if line.get("event") == "unexpected_error"]


@pytest.mark.parametrize("value", NOWHERE_RIGHT.values(), ids=NOWHERE_RIGHT.keys())
async def test_a_value_that_no_field_takes_is_refused_in_words_in_every_field_of_every_form(
    site: Site, site_trail: Trail, value: Any
):
    ann = site.person("ann", "admin")
    things, before, wrong = make_things(site), len(unexpected(site)), []
    visitor = site.signed_in(ann)
    for part in parts([*EXAMPLES.items()], 20):
        async with Tab(visitor, "/inventory") as tab:
            for name, example in part:
                for payload in spoiled(example(things), value):
                    answer = await tab.call(name, **payload)
                    if (not answer.toasts and not answer.errors()) or "Something went wrong" in answer.text:
                        wrong.append((name, json.dumps(payload)[:120], answer.toasts))
            assert not (await tab.call(InventoryState.load)).is_refused
    assert not wrong
    assert len(unexpected(site)) == before
    done = {entry.name for entry in site_trail.operations(actor_name=ann.username, outcome="succeeded")}
    assert done == set()


def incomplete(name: str, good: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the payload with a field too many, one too few, and one too many in its form."""
    # What only asks for something to begin has no field that could be missing.
    first = next(iter(good), "")
    worse = [good | {"zzz": 1}] + ([{k: v for k, v in good.items() if k != first}] if first else [])
    if first and isinstance(good[first], dict) and not name.endswith("save_counts"):
        worse.append(good | {first: good[first] | {"zzz": 1}})
    return worse


async def test_a_field_too_many_or_too_few_is_refused_by_every_handler(site: Site, site_trail: Trail):
    ann, things, wrong = site.person("ann", "admin"), make_things(site), []
    visitor = site.signed_in(ann)
    for part in parts([*EXAMPLES.items()], 20):
        async with Tab(visitor, "/inventory") as tab:
            for name, example in part:
                for payload in incomplete(name, example(things)):
                    answer = await tab.call(name, **payload)
                    wrong += [] if answer.toasts or answer.errors() else [(name, payload)]
    assert not wrong
    done = {entry.name for entry in site_trail.operations(actor_name=ann.username, outcome="succeeded")}
    assert done == set()


@pytest.mark.parametrize("who", ["stranger", "ann"])
@pytest.mark.parametrize("message", NO_EVENTS.values(), ids=NO_EVENTS.keys())
async def test_a_message_that_is_no_event_harms_nobody(site: Site, message: Any, who: str):
    before = len(unexpected(site))
    visitor = site.visitor() if who == "stranger" else site.signed_in(site.person("ann", "manager"))
    async with Tab(visitor, "/inventory") as sender, Tab(site.signed_in("admin")) as tab:
        await sender.emit(message)
        await sender.settle()
        assert sender.is_open
        assert not (await tab.call(InventoryState.load)).is_refused
    assert len(unexpected(site)) == before, "anybody could fill the log with tracebacks"


async def test_a_message_above_the_limit_ends_its_own_connection_and_no_other(site: Site):
    stranger, ada = Tab(site.visitor()), Tab(site.signed_in("admin"))
    async with ada:
        await stranger.connect()
        await stranger.emit({"name": LOAD, "payload": {"text": "x" * 1_100_000}, "router_data": WHERE})
        await stranger._socket.eio.wait()
        assert not stranger.is_open
        assert not (await ada.call(InventoryState.load)).is_refused


async def test_what_a_client_says_about_itself_decides_nothing(site: Site):
    claims = {
        f"{AUTH}.{name}_rx_state_": value
        for name, value in {
            "signed_in": True,
            "permissions": {"users:view": True},
            "username": "admin",
            "must_change_password": False,
            "_filled_for": "x",
        }.items()
    }
    async with Tab(site.visitor(), "/admin/users") as tab:
        await tab.call(UPDATE_VARS, vars=claims)
        await tab.call(HYDRATE, vars=claims, hashes=None)
        answer = await tab.call(InventoryState.load)
        assert answer.is_refused
        assert '"signed_in_rx_state_": true' not in tab.text
        assert "users:view" not in tab.text


async def test_nothing_typed_and_no_cookie_is_in_the_log_whatever_was_sent(site: Site):
    ann, word = site.signed_in(site.person("ann", "manager")), "hunter2-hunter2-hunter2"
    other_cookie = f"""odd=it's"so; {ann.cookie_header}"""
    form = {"username": "x", "full_name": "", "email": "", "password": word}
    async with Tab(ann, cookie=other_cookie) as tab:
        await tab.call(AuthState.register, form=form)
        await tab.call(f"{ROOT}.nothing", password=word)
        for message in (f"password {word}", {"password": word}, {"name": LOAD, "payload": word, "router_data": WHERE}):
            await tab.emit(message)
        await tab.emit({"name": LOAD, "payload": {"password": word}, "router_data": word})
        await tab.call(InventoryState.preview, text=word)
        await tab.call(InventoryState.load, text=word)
        await tab._socket.emit("client_error", {"message": "odd", "stack": "odd"}, namespace="/_event")
        await tab.settle()
    text = site.log_text()
    assert word not in text
    assert not [secret for secret in site.secrets if secret in text]
    # Nothing writes around the log: but for the start's words to people, every line is for machines.
    others = [line for line in text.splitlines() if not line.startswith("{")]
    assert [line for line in others if not line.startswith(("Building the pages", "Sign in as", "Inventory is"))] == []


#: What is read below the events, and can be sent by whoever knows no more than the address.
UNREADABLE = {
    "no JSON": "42/_event,[",
    "deeper than anybody reads": '42/_event,["event",' + "[" * 100_000,
    "a number of 900,000 digits": f'42/_event,["event",{"9" * 900_000}]',
    "no event": "42/_event,[]",
    "an event that is an object": '42/_event,[{"a":1}]',
    "an event with too much": '42/_event,["event",1,2,3]',
    "connecting as an event": '42/_event,["connect"]',
}
NO_FRAMES: dict[str, str | bytes] = {
    "a packet with binary parts to come": '451000000-/_event,["event",{"_placeholder":true,"num":0}]',
    "bytes": b"\x04" * 900_000,
    "an empty frame": "",
    "a letter": "x",
    "an answer to nothing": "43/_event,1[]",
    "an error": "44/_event,{}",
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_what_socket_io_cannot_read_costs_a_line_a_second(site: Site, what: str):
    before = len(site.log_text())
    async with Tab(site.visitor()) as tab:
        for _ in range(60):
            await tab.frame(UNREADABLE[what])
        assert (await tab.call(AuthState.load_public)).messages
    added = site.log_text()[before:]
    assert '"exception"' not in added
    assert "Traceback" not in added
    # A burst of twenty, and one for every second that this took.
    assert added.count("unreadable_message") < 40


@pytest.mark.parametrize("what", NO_FRAMES)
async def test_a_frame_that_no_client_of_ours_sends_ends_its_own_connection_and_no_other(site: Site, what: str):
    before = len(site.log_text())
    async with Tab(site.visitor()) as other, Tab(site.visitor()) as tab:
        await tab.frame(NO_FRAMES[what])
        await tab.until_ended()
        assert (await other.call(AuthState.load_public)).messages
    assert "Traceback" not in site.log_text()[before:]
