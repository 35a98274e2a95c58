"""Where the pages lie, for links between them."""

from lib.settings import ROOT

PAGES = ROOT / "pages"
TODAY = PAGES / "today.py"
TO_DO = PAGES / "to_do.py"
IMPORTS = PAGES / "imports.py"
OFFERS = PAGES / "offers.py"
OUTBOX = PAGES / "outbox.py"
REVIEWS = PAGES / "reviews.py"
WHAT_IF = PAGES / "what_if.py"
TICKETS = PAGES / "tickets.py"
CUSTOMERS = PAGES / "customers.py"
AUDIENCES = PAGES / "audiences.py"
STAFF = PAGES / "staff.py"
AUDIT = PAGES / "audit.py"
MY_ACCOUNT = PAGES / "my_account.py"
