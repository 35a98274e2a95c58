"""Ten people at work in one inbox: random actions at once, what each took, and whether anything was lost or doubled.

Run: ``python -m bench.staff_at_work --data FOLDER [--seconds 120] [--people 10]`` (an empty folder gets a demo store),
or with ``--address postgresql+psycopg://…`` on an empty database. Each person opens, drafts, answers (now and then
twice, as one who clicks again), notes, gives away, puts off, closes, merges and answers reviews, with pauses in
between. It prints a line for each kind of action and fails when a promise was broken (``bench.nothing_lost``).
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from uuid import uuid4

from sqlalchemy import Engine, func, insert, select

from bench.nothing_lost import broken
from bench.person_at_work import WEIGHTS, Person
from bench.table import store_in
from lib.db.engine import open_engine, order_database, reading, writing
from lib.db.migrate import migrate
from lib.db.service import settle_open
from lib.db.store import Store, write_store
from lib.db.tables.columns import now
from lib.db.tables.customers import customers
from lib.db.tables.orders import orders
from lib.db.tables.reviews import reviews
from lib.db.tables.staff import audit_log, staff
from lib.db.tables.tickets import ticket_messages, tickets
from lib.staff import Role, Staff


def furnish(engine: Engine, people: int, *, work: int) -> list[Staff]:
    """Staff, customers with an address and an order, and as many open tickets and reviews as there is ``work``."""
    at = now()
    names = [f"Person {number}" for number in range(1, people + 1)]
    made = []
    with writing(engine) as conn:
        for name in names:
            address = f"{name.replace(' ', '').lower()}@shop.example"
            known = conn.scalar(select(staff.c.staff_id).where(staff.c.email == address))
            key = (
                known
                or (
                    conn.execute(
                        insert(staff).values(email=address, name=name, role=Role.SUPPORT, created_at=at)
                    ).inserted_primary_key
                    or (0,)
                )[0]
            )
            made.append(Staff(staff_id=int(key), name=name, role=Role.SUPPORT))
        mark = f"work-{at.timestamp():.6f}"
        for number in range(work):
            told = {"source": mark, "external_id": str(number), "fingerprint": mark}
            email = f"{mark}-{number}@example.com"
            customer = _key(conn.execute(insert(customers).values(**told, name=f"Customer {number}", email=email)))
            conn.execute(
                insert(orders).values(
                    **told, number=f"#{number}", customer_id=customer, placed_at=at - timedelta(days=9), currency="EUR",
                    original_currency="EUR", payment_status="paid", gross_minor=1000, total_minor=1000,
                )
            )  # fmt: skip
            opened = at - timedelta(minutes=number)
            ticket = _key(
                conn.execute(
                    insert(tickets).values(
                        **told, customer_id=customer, channel="email", subject=f"Question {number}", opened_at=opened,
                        requester_email=email,
                    )
                )
            )  # fmt: skip
            conn.execute(
                insert(ticket_messages).values(ticket_id=ticket, author="customer", sent_at=opened, body="Hm?")
            )
            conn.execute(
                insert(reviews).values(**told, customer_id=customer, rating=1 + number % 5, body="So.", written_at=at)
            )
        settle_open(conn)
    return made


def _key(result: object) -> int:
    return int((getattr(result, "inserted_primary_key", None) or (0,))[0])


def at_work(
    engine: Engine, who: Sequence[Staff], *, seconds: float = 0, actions: int = 0, pause: float, seed: int = 1
) -> list[Person]:
    """Let everybody work at once, for so many seconds or actions each; an error that is no refusal is raised."""
    with reading(engine) as conn:
        log_began = int(conn.scalar(select(func.max(audit_log.c.audit_id))) or 0)
    mark = f"run {uuid4().hex}"
    persons = [Person(engine, one, random.Random(seed * 1000 + n), mark, log_began) for n, one in enumerate(who)]
    broke: list[BaseException] = []
    until = time.monotonic() + seconds

    def work(person: Person) -> None:
        number = 0
        try:
            while not broke and (number < actions if actions else time.monotonic() < until):
                number += 1
                person.act(number)
                if pause:
                    time.sleep(person.chance.expovariate(1 / pause))
        except BaseException as error:
            broke.append(error)

    threads = [threading.Thread(target=work, args=(person,)) for person in persons]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broke:
        raise broke[0]
    return persons


def table(persons: Sequence[Person], seconds: float) -> list[str]:
    """A line for each kind of action: how many, how many refused, median, p95 and the slowest."""
    lines = []
    everything = [one for person in persons for one in person.done]
    for name in (*WEIGHTS, "all"):
        these = [one for one in everything if name in (one.action, "all")]
        if len(these) < 2:
            continue
        took = sorted(one.took for one in these)
        cut = quantiles(took, n=20)
        refused = sum(bool(one.refusal) for one in these)
        lines.append(
            f"{name:<16}{len(these):>7}{refused:>9} refused{cut[9]:>9.0f} ms{cut[18]:>9.0f} ms p95{took[-1]:>9.0f} ms"
        )
    return [*lines, f"{len(everything) / seconds:.1f} actions a second"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--data", type=Path, help="the data folder; an empty one gets a demo store")
    where.add_argument("--address", help="an order database, empty or Encore's")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--work", type=int, default=200, help="open tickets and reviews that are added")
    parser.add_argument("--pause", type=float, default=0.5, help="mean seconds between one's actions")
    args = parser.parse_args()
    if args.address:
        engine = open_engine(args.address)
        migrate(engine)
        with writing(engine) as conn:
            write_store(conn, Store("At work", "Europe/Berlin", "EUR", "DE", ("en",), False))
    else:
        engine = order_database(store_in(args.data))
    began = time.process_time()
    persons = at_work(engine, furnish(engine, args.people, work=args.work), seconds=args.seconds, pause=args.pause)
    print("\n".join(table(persons, args.seconds)))
    used = 1000 * (time.process_time() - began) / sum(len(person.done) for person in persons)
    print(f"{used:.0f} ms of this process's processor time an action, making the work included")
    faults = broken(engine, persons)
    print("\n".join(faults) or "nothing lost, nothing doubled, the log verifies")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
