"""An order on its way into the database, in the store's currency."""

from dataclasses import dataclass, field

from lib.importers.batch import Batch
from lib.importers.conversion import convert_order
from lib.importers.mention import Mention
from lib.importers.prepared import Prepared, prepare_in
from lib.importers.refund_lines import Line


@dataclass(slots=True)
class Draft:
    """An order on its way into the database."""

    position: int
    order: Prepared
    rate: str
    order_id: int = 0
    is_new: bool = True
    is_unchanged: bool = False
    mention: Mention | None = None
    # Whose the stored order is, where that one was erased.
    owner: int | None = None
    # Only where the order has refunds, which name them.
    lines: list[Line] = field(default_factory=list)

    @property
    def customer_id(self) -> int | None:
        return self.mention.customer_id if self.mention else self.owner


def draft_of(batch: Batch, position: int, prepared: Prepared) -> Draft:
    """An order in the store's currency.

    Raises:
        NoRate: there is no exchange rate for it.
    """
    order = prepared
    rate = "1"
    if order.currency != batch.store.currency:
        record = prepared.record
        factor = batch.rates.rate(record.currency, batch.day(record.placed_at))
        rate = str(factor)
        order = prepare_in(record, convert_order(record, factor, batch.store.currency), batch.store.currency, rate)
    draft = Draft(position, order, rate)
    if order.person is not None:
        draft.mention = Mention(order.person, at=order.placed_at)
    return draft
