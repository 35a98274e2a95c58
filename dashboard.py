"""The launcher: `streamlit run dashboard.py` or `python dashboard.py`. The screens begin in lib/ui/shell.py."""

from contextlib import suppress

import streamlit as st

from lib.ui.server import SHELL, address, lifespan, middleware, on_error, routes

app = st.App(SHELL, middleware=middleware(), routes=routes(), lifespan=lifespan, on_script_error=on_error)

if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # Ctrl-C is how people stop it, not a fault
        app.run(config=address())
