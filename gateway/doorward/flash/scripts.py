"""What is run on the board over USB, as text: it reports in lines of JSON behind MARK.

A list comes item by item: a text of all of them would need a piece of heap that a board may not have.

Firmware, settings and keys change together: what is new waits beside its place until /commit names all of it, and from
then on the loader takes it there, also after a power cut.

A board that ran its program has a watchdog, which cannot be stopped. It is given a long period instead, and fed by
every step: when the cable is pulled the board starts again by itself, into the firmware that it has.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

MARK = "doorward-flash:"
# Longer than any step takes, shorter than anybody waits at a door.
HOLD_MS = 120_000
ORDER = "/usb.json"
INSTALLER = "/usb_install.mpy"
# What a file is called until it takes its place.
NEW = ".usb"

# Bytes in one script, and in one text of it: what a board's heap takes easily.
_SCRIPT = 4096
_TEXT = 768

# In firmware/main.py, below what takes files that were decided on to their places.
_BELOW = "# ---"

_COMMON = f"""\
import binascii, gc, hashlib, json, machine, os
dog = machine.WDT(timeout={HOLD_MS})
gc.collect()
gc.threshold(2048)
def tell(**said):
    print()
    print({MARK!r}, json.dumps(said))
def each(name, paths):
    for path in paths:
        print({MARK!r}, json.dumps({{name: [path]}}))
def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ''
def digest(path):
    try:
        file = open(path, 'rb')
    except OSError:
        return None
    with file:
        made = hashlib.sha256()
        piece = file.read(512)
        while piece:
            made.update(piece)
            piece = file.read(512)
    dog.feed()
    return binascii.hexlify(made.digest()).decode()
def go_on():
    # The loader's own way, which is gone as well when the power comes back.
    exec(read('/main.py').split({_BELOW!r})[0], globals())
    settle()
def room():
    # A block that two files share counts twice (lfs_fs_size): more than all may be in use, which wraps.
    stat = os.statvfs('/')
    return stat[0] * stat[3] if stat[3] <= stat[2] else 0
"""

PROBE = (
    _COMMON
    + """\
def settings():
    try:
        config = json.loads(read('/config.json') or 'null')
        wifi = config.get('wifi') or {}
        said = {name: config.get(name) for name in ('id', 'board', 'role', 'pins', 'broker')}
        said['ssid'] = wifi.get('ssid')
        return said
    except (ValueError, AttributeError):
        return {}
if read('/commit'):
    go_on()
name = os.uname()
words = read('/slot').split()
tell(
    release=name.release, machine=name.machine, free=room(), slot=words, config=settings(),
    manifest=digest('/' + words[0] + '/manifest.json') if words else None,
    boot=digest('/boot.py'), main=digest('/main.py'),
    tls=[digest('/tls/' + file) is not None for file in ('ca.der', 'cert.der', 'key.der')],
    root=os.listdir('/'),
)
"""
)

_INSTALL = (
    _COMMON
    + f"""\
turns = 0
def tick():
    global turns
    turns += 1
    if not turns % 16:
        dog.feed()
    if not turns % 32:
        print('.', end='')
def install():
    usb_install.ORDER = {ORDER!r}
    return usb_install.Install()
try:
    import usb_install
    Refused = usb_install.InstallError
except ImportError:
    class Refused(Exception):
        pass
"""
)

LACKING = (
    _INSTALL
    + """\
try:
    work = install()
    each('lacking', work.missing(tick))
    tell(slot=work.slot, lacking=[], free=room())
except Refused as error:
    tell(refused=str(error))
except OSError as error:
    tell(errno=error.errno)
"""
)

_FINISH = """\
def remove(path):
    try:
        if os.stat(path)[0] & 0x4000:
            for name in os.listdir(path):
                remove(path + '/' + name)
            os.rmdir(path)
        else:
            os.remove(path)
    except OSError:
        pass
def write(path, text):
    with open(path, 'w') as file:
        file.write(text)
def merged():
    config = json.loads(read('/config.json'))
    patch = json.loads(read('/config.patch' + NEW))
    for key in patch:
        config[key] = patch[key]
    write('/config.json' + NEW, json.dumps(config))
    return '/config.json'
def finish():
    wrong = [path for path in NEWS if digest(path + NEW) != NEWS[path]]
    if FIRMWARE and not wrong:
        work = install()
        wrong = work.missing(tick)
    if wrong:
        return each('wrong', wrong)
    places = [path for path in NEWS if path not in ('/main.py', '/config.patch')]
    if '/config.patch' in NEWS:
        places.append(merged())
    if FIRMWARE:
        words = work.complete()
        write('/slot' + NEW, ' '.join(words if TRIAL else words[:2]))
        places.append('/slot')
    if '/main.py' in NEWS:
        os.rename('/main.py' + NEW, '/main.py')
    if places:
        write('/commit' + NEW, '\\n'.join(places))
        os.rename('/commit' + NEW, '/commit')
        go_on()
    gone = [name for name in os.listdir('/') if stale(name)]
    for name in gone:
        remove('/' + name)
    for name in ('core', 'drivers', 'node'):
        remove('/lib/doorward_' + name)
    for name in ('ca', 'cert', 'key'):
        remove('/tls/' + name + '.der' + NEW)
    gone = [name for name in gone if name not in OURS and not name.endswith(NEW)]
    tell(done=True, slot=read('/slot').split(), gone=gone)
def stale(name):
    return name in LEFT or name.endswith(NEW) or FOREIGN and name not in KEEP and '/' + name not in NEWS
try:
    finish()
except Refused as error:
    tell(refused=str(error))
except OSError as error:
    tell(errno=error.errno)
"""

# Of a board whose firmware was copied by hand once, and of ours.
STALE = frozenset({"doorward_core", "doorward_drivers", "doorward_node"})
_LEFT = [*sorted(STALE), "update.json", "update.part"]
_OURS = [INSTALLER[1:], ORDER[1:]]
_KEEP = ["boot.py", "main.py", "config.json", "tls", "slot", "a", "b", "lib", ".chip"]


def finish(
    news: Mapping[str, str],
    *,
    firmware: bool,
    trial: bool,
    foreign: bool,
) -> str:
    """The last script: check, put into place, switch, tidy up.

    news: SHA-256 of every file that waits beside its place, by path. firmware: whether a slot is to be switched to.
    trial: whether it is on trial then. foreign: whether what lies there was another board's.
    """
    given = {
        "NEWS": dict(news),
        "NEW": NEW,
        "FIRMWARE": firmware,
        "TRIAL": trial,
        "FOREIGN": foreign,
        "LEFT": _LEFT + _OURS,
        "OURS": _OURS,
        "KEEP": _KEEP,
    }
    lines = [f"{name} = {value!r}\n" for name, value in given.items()]
    return _INSTALL + "".join(lines) + _FINISH


_SEND = f"""\
import binascii, gc, json, machine
machine.WDT(timeout={HOLD_MS})
gc.collect()
def begin(path, mode):
    global file
    file = open(path, mode)
def w(text):
    file.write(binascii.a2b_base64(text))
def end(path, size):
    file.close()
    print()
    print({MARK!r}, json.dumps({{'sent': [[path, size]]}}))
"""


def send(files: Mapping[str, bytes]) -> list[str]:
    """Write these files, by their path on the board, in scripts that a board has room for; each tells what it wrote.

    A file that is cut short is not right, and is sent again.
    """
    made, lines, held = [], [_SEND], 0
    for path, content in files.items():
        for at in range(0, max(1, len(content)), _SCRIPT):
            piece = content[at : at + _SCRIPT]
            if held + len(piece) > _SCRIPT:
                made.append("".join(lines))
                lines, held = [_SEND], 0
            lines.append(f"begin({path!r}, {'ab' if at else 'wb'!r})\n")
            for text in range(0, len(piece), _TEXT):
                told = base64.b64encode(piece[text : text + _TEXT]).decode()
                lines.append(f"w('{told}')\n")
            lines.append(f"end({path!r}, {len(piece)})\n")
            held += len(piece)
    return [*made, "".join(lines)] if held or len(lines) > 1 else made


FOLDERS = """\
import os
try:
    os.mkdir('/tls')
except OSError:
    pass
"""


def report(said: str) -> dict[str, Any]:
    """What a script has reported in what it printed: its lines together, lists put end to end; {} without any."""
    found: dict[str, Any] = {}
    for line in said.splitlines():
        _, mark, text = line.partition(MARK)
        if not mark:
            continue
        try:
            said_here = dict(json.loads(text))
        except (ValueError, TypeError):  # a line that did not arrive whole
            return {}
        for key, value in said_here.items():
            found[key] = found.get(key, []) + value if isinstance(value, list) else value
    return found
