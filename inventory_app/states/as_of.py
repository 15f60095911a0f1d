"""What was where at the moment the address names, and how the stock went until today."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import reflex as rx

from inventory_app.models._base import now
from inventory_app.operations import course
from inventory_app.operations._zones import clock, zone_words
from inventory_app.operations.as_of import Way
from inventory_app.operations.course import PlaceRow
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings
from inventory_app.states import _view
from inventory_app.states._action import FormState, action
from inventory_app.states._charts import Chart, Frame, Spark, spark, steps
from inventory_app.states._moments import WAYS, TravelForm, destination, here, read_moment
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch

PATH = "/as-of"


class AsOfState(FormState, rx.State):
    """The whole stock at a moment: `/as-of?at=2026-11-14T09:30&as=effective`."""

    loading: bool = True
    at: str = ""
    at_words: str = ""
    way: str = "known"
    zone: str = ""
    now_href: str = ""
    value: str = ""
    currency: str = ""
    movements: str = ""
    places: list[PlaceRow] = []
    chart: Chart = Chart()
    kinds: list[Spark] = []

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def load(self) -> None:
        """Show what was there at the moment the address names."""
        query = self.router.url.query_parameters
        auth_state = await self.get_state(AuthState)
        zone = auth_state._time_zone()  # noqa: SLF001  # ours
        moment, way = read_moment(query.get("at", ""), zone), _view.chosen(query, "as", WAYS)
        with auth_state.audit_context():
            found = await fetch(course.stock_course, at=moment, way=Way(way))
        local = clock(moment, zone) if moment else None
        self.at = f"{local:%Y-%m-%dT%H:%M}" if local else ""
        self.at_words = f"{local.day} {local:%B %Y, %H:%M}" if local else ""
        self.way, self.zone = way, zone_words(zone, moment or now())
        self.now_href = PATH
        self.value, self.currency = found.value, get_settings().currency
        self.movements, self.places = f"{found.stock.movements:,}", found.places
        view = {"as": way if way != WAYS[0] else ""}

        def leads(day: datetime) -> str:
            return here(PATH, view, when=f"{day:%Y-%m-%d}T23:59:59")

        # Days of the ledger are those of UTC.
        present, worth = now(), found.worth
        frame = Frame(found.begins, present, "UTC", moment, lambda figure: f"{figure:,.0f}")
        drawn = frame
        if worth and worth[0][0] > found.begins:
            # Younger than the year: it begins with nothing, a little before the first day.
            begins = max(found.begins, worth[0][0] - max((present - worth[0][0]) / 20, timedelta(days=1)))
            drawn, worth = replace(frame, begins=begins), [(begins, Decimal(0)), *worth]
        self.chart = steps(worth, drawn, unit=self.currency, leads=leads)
        self.kinds = [
            spark(one.label, [(datetime.combine(day, time(), UTC), number) for day, number in one.days], frame)
            for one in found.kinds
        ]
        self.loading = False

    @rx.event
    @action(Permission.INVENTORY_VIEW)
    async def travel(self, form: TravelForm) -> Any:
        """Go to the moment that was chosen; an emptied field is now."""
        auth_state = await self.get_state(AuthState)
        self.errors = {}
        return destination(form, PATH, auth_state._time_zone())  # noqa: SLF001  # ours
