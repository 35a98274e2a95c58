#!/usr/bin/env bash
# Makes or updates .venv; at once done when nothing changed.
#   scripts/environment.sh runtime|development
# BASE_PYTHON=… chooses another Python. Packages come from wherever this machine's pip is set up to find them.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:-runtime}
case $kind in
    runtime) requirements=requirements.txt ;;
    development) requirements=requirements-dev.txt ;;
    *) echo "usage: scripts/environment.sh runtime|development" >&2; exit 2 ;;
esac
VENV=.venv

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

stamp_of() { cat requirements.txt "$1" | cksum | tr -d ' '; }
# The development environment holds all that the runtime needs.
is_ready() {
    [[ -x $VENV/bin/python ]] || return 1
    [[ $(cat $VENV/ready-development 2>/dev/null) == "$(stamp_of requirements-dev.txt)" ]] && return 0
    [[ $kind == runtime && $(cat $VENV/ready-runtime 2>/dev/null) == "$(stamp_of requirements.txt)" ]]
}
if is_ready && $VENV/bin/python -c '' 2>/dev/null; then exit 0; fi

is_usable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' 2>/dev/null; }
can_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# Newest first among the versions Encore is tested with; then whatever python3 is, if new enough.
choose() {
    local candidate fallback=
    for candidate in ${BASE_PYTHON:-} python3.13 python3.12 python3.11 python3 python3.14; do
        command -v "$candidate" >/dev/null 2>&1 && is_usable "$candidate" || continue
        if can_venv "$candidate"; then echo "$candidate"; return; fi
        fallback=${fallback:-$candidate}
    done
    echo "$fallback"
}

python=$(choose)
[[ -n $python ]] || die "Encore needs Python 3.11 or newer. Install it (Debian, Ubuntu: sudo apt-get install python3 python3-venv), then type the same again."

if ! can_venv "$python"; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    package="python$version-venv"
    if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
        say "Installing $package, which Python needs to make an environment …"
        export DEBIAN_FRONTEND=noninteractive
        { apt-get install -y -qq "$package" || { apt-get update -qq && apt-get install -y -qq "$package"; }; } \
            >/dev/null 2>&1 || die "$package could not be installed. Type: apt-get update && apt-get install $package"
    else
        die "Python's venv module is missing. Type: sudo apt-get install $package    (then the same again)"
    fi
fi

# One that was moved, cut short or made by too old a Python is made anew.
if ! is_usable $VENV/bin/python || ! $VENV/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf $VENV
    say "Making the environment in .venv with $("$python" --version) …"
    "$python" -m venv $VENV
fi
rm -f $VENV/ready-*

say "Installing the packages of $requirements (a minute or two the first time) …"
log=$VENV/install.log
progress() {
    local count=0 line
    while IFS= read -r line; do
        printf '%s\n' "$line" >>$log
        case $line in
            Collecting*|Requirement*) ((++count)); [[ -t 2 ]] && printf '\r  %d packages found ' "$count" >&2 ;;
            Downloading*) [[ -t 2 ]] && printf '\r\033[K  %.70s' "${line%% (*}" >&2 ;;
            Installing\ collected*) [[ -t 2 ]] && printf '\r\033[K' >&2; say "  $count packages found; installing them …" ;;
        esac
    done
    true
}
: >$log
if ! $VENV/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off \
        -r "$requirements" 2>&1 | progress; then
    tail -n 15 $log >&2
    die "The packages could not be installed; the whole log is $log. Is this machine online, or does its pip know an index?"
fi
stamp_of "$requirements" >"$VENV/ready-$kind"
say "The environment is ready."
