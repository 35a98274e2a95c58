"""Account: your name, your password, and where you are signed in."""

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.my_account import draw_my_account

draw_my_account(open_desk(May.SEE_FIGURES))
