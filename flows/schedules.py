"""Schedules in Prefect's own terms: checked by the code that will run them, and when they come next."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flows.prefect_file import UNITS, Schedule
from tunegate.errors import UserError, did_you_mean

SHORTEST_SECONDS = 60.0  # a shorter interval is a run that never ends
INTERVAL = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def interval_seconds(text: str) -> float:
    """`6h`, `30m`, `1d`. Raises UserError."""
    found = INTERVAL.fullmatch(text.strip())
    if not found:
        raise UserError(f'"{text}" is no interval.', "Write a number and s, m, h, d or w, for example: --every 6h.")
    seconds = float(found[1]) * UNITS[found[2]]
    return int(seconds) if seconds == int(seconds) else seconds


def check_schedule(schedule: Schedule) -> None:
    """Raises UserError where Prefect would not take it, or where it would never start anything."""
    _check_timezone(schedule.timezone)
    try:
        times = next_times(schedule, 1)
    except (ValueError, TypeError) as error:  # pydantic's is a ValueError
        raise UserError(
            f'The {schedule.kind} "{schedule.when}" cannot be: {_reason(error)}', REMEDY[schedule.kind]
        ) from error
    if schedule.kind == "interval" and float(schedule.when) < SHORTEST_SECONDS:
        raise UserError(
            f"An interval of {schedule.when} seconds is too short.", f"At least {SHORTEST_SECONDS:.0f} seconds."
        )
    if not times:
        raise UserError(f'The {schedule.kind} "{schedule.when}" names no time to come.', REMEDY[schedule.kind])


REMEDY = {
    "cron": 'Five fields: minute, hour, day of month, month, weekday; for example --cron "0 6 * * 1-5".',
    "interval": "For example: --every 6h.",
    "rrule": 'As RFC 5545 writes it, for example --rrule "FREQ=MONTHLY;BYDAY=1MO;BYHOUR=6;BYMINUTE=0;BYSECOND=0".',
}


def schedule_object(schedule: Schedule) -> Any:
    """Prefect's own. Raises ValueError."""
    from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

    if schedule.kind == "cron":
        return CronSchedule(cron=str(schedule.when), timezone=schedule.timezone)
    if schedule.kind == "rrule":
        return RRuleSchedule(rrule=str(schedule.when), timezone=schedule.timezone)
    anchor = {"anchor_date": datetime.fromisoformat(schedule.anchor)} if schedule.anchor else {}
    return IntervalSchedule(interval=timedelta(seconds=float(schedule.when)), timezone=schedule.timezone, **anchor)


def next_times(schedule: Schedule, number: int) -> list[datetime]:
    """The next ones in the schedule's own time zone, as Prefect's server reckons them."""
    import asyncio

    from prefect.server.schemas import schedules as served

    made = schedule_object(schedule)
    kind = getattr(served, type(made).__name__)
    found = asyncio.run(kind.model_validate(made.model_dump()).get_dates(number))
    return [moment.astimezone(ZoneInfo(schedule.timezone)) for moment in found]


def anchor_of_today(timezone: str) -> str:
    """From where intervals count: midnight, so that every 6 hours means 0, 6, 12 and 18 o'clock. Raises UserError."""
    _check_timezone(timezone)
    now = datetime.now(ZoneInfo(timezone))
    return now.replace(hour=0, minute=0, second=0, microsecond=0).isoformat()


def _check_timezone(name: str) -> None:
    known = available_timezones()
    if name not in known:
        raise UserError(
            f'There is no time zone "{name}".{did_you_mean(name, known)}', "For example: Europe/Berlin, UTC."
        )


def _reason(error: Exception) -> str:
    """Of pydantic's several lines the one that says why, without its own names."""
    errors = error.errors() if hasattr(error, "errors") else []
    said = errors[0]["msg"].removeprefix("Value error, ") if errors else str(error)
    return said.splitlines()[0].rstrip(".") + "."
