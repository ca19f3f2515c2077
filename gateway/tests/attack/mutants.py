"""What the product would be without one of its defences."""

from attack.mutation import Mutant

_CORE = "firmware/doorward_core/"
_NODE = "firmware/doorward_node/"
_APP = "gateway/doorward/app/"

_NO_SUFFIX = (
    _CORE + "seal.py",
    "(label.encode(), keys.device.encode(), suffix.encode(), freshness.encode(), body)",
    "(label.encode(), keys.device.encode(), freshness.encode(), body)",
)

MUTANTS = (
    Mutant(
        "a nonce is not burnt",
        "answer_again",
        (
            (
                _NODE + "session.py",
                "            return False\n        self.value = None\n        return True",
                "            return False\n        return True",
            ),
            (
                _NODE + "session.py",
                "def burn(self) -> None:\n        self.value = None",
                "def burn(self) -> None:\n        pass",
            ),
        ),
    ),
    Mutant(
        "the nonce is outside the MAC",
        "old_grant",
        (
            (
                _CORE + "seal.py",
                "suffix.encode(), freshness.encode(), body)",
                "suffix.encode(), body)",
            ),
        ),
    ),
    Mutant(
        "the nonce of a tap is not compared",
        "old_grant",
        (
            (
                _NODE + "taps.py",
                "if not self._nonce.take(nonce, now):",
                "if not self.pending():",
            ),
        ),
    ),
    Mutant(
        "a part of the MAC is compared",
        "turned_round",
        ((_CORE + "compat.py", "return difference == 0", "return left[:4] == right[:4]"),),
    ),
    Mutant(
        "the key epoch is not compared",
        "turned_round",
        ((_CORE + "seal.py", "if sealed.epoch != keys.epoch:", "if sealed.epoch < 0:"),),
    ),
    Mutant(
        "the nonce of a release is not compared",
        "old_release",
        ((_NODE + "commands.py", 'if kind == "n" and not (', 'if kind == "" and not ('),),
    ),
    Mutant(
        "the board does not compare session numbers",
        "old_challenge",
        (
            (
                _NODE + "session.py",
                "if value != self._boot or number <= self._heard.get(suffix, 0):",
                "if value != self._boot:",
            ),
        ),
    ),
    Mutant(
        "the gateway does not compare session numbers",
        "old_state",
        ((_APP + "messages/fleet.py", "if number <= self._up.get(suffix, 0):", "if number < 0:"),),
    ),
    Mutant(
        "the payload says which label it has",
        "silence",
        (
            (
                _CORE + "seal.py",
                "label = topics.label(suffix, freshness[:1])",
                "label = freshness[:1]",
            ),
            _NO_SUFFIX,
        ),
    ),
    Mutant(
        "a boot is believed before it has answered",
        "former_life",
        (
            (
                _APP + "messages/fleet.py",
                'self.proof = "boot_" + secrets.token_hex(8)',
                "self.proof = None",
            ),
        ),
    ),
    Mutant(
        "the log is not chained",
        "deleted_event",
        (
            (_CORE + "seal.py", "    if extra:\n", "    if False:\n"),
            (
                _APP + "board_logs/heads.py",
                "if seq != held + 1 or gone is not None:",
                "if seq <= held:",
            ),
            (
                _APP + "board_logs/heads.py",
                "return first <= seq_in(stored, kept.epoch) + 1 <= kept.seq",
                "return kept.seq > seq_in(stored, kept.epoch)",
            ),
            (
                "gateway/doorward/adapters/store/audit.py",
                "    if not _continues(connection, entry):",
                "    if False:",
            ),
        ),
    ),
    Mutant(
        "the log's epoch is not remembered",
        "old_log",
        (
            (
                _APP + "board_logs/heads.py",
                "return self.held(device_id, epoch) is not None",
                "return False",
            ),
        ),
    ),
    Mutant(
        "an answer is for whatever door it reaches",
        "foreign_door",
        (
            (_CORE + "seal.py", "keys.device.encode(), suffix", 'b"", suffix'),
            (_CORE + "seal.py", "_hmac(self._secret, ", "_hmac(bytes(32), "),
            (
                _APP + "access/taps.py",
                "if asked.device != device.id or door is None:",
                "if door is None:",
            ),
        ),
    ),
    Mutant(
        "the counter of a config is not compared",
        "old_rules",
        (
            (_NODE + "renewal.py", "if version < copy.version():", "if False:"),
            (
                _NODE + "renewal.py",
                "if version < held.cache_version or config.cache_digest != held.cache_digest:",
                "if False:",
            ),
        ),
    ),
    Mutant(
        "a nonce never expires",
        "held_back",
        ((_NODE + "session.py", "if not 0 <= self.age(now) <= _NONCE_LIFE_MS:", "if False:"),),
    ),
    Mutant(
        "a firmware's signature is not looked at",
        "foreign_firmware",
        ((_NODE + "update.py", "        if not good:\n", "        if False:\n"),),
    ),
    Mutant(
        "an order that is over begins anew",
        "old_firmware",
        ((_NODE + "update.py", 'if counter == order and known[4] != "-":', "if False:"),),
    ),
    Mutant(
        "a piece of firmware goes where the next one belongs",
        "odd_pieces",
        (
            (
                _NODE + "update.py",
                'if number(fields, "offset") == self._want:',
                'if number(fields, "offset") >= 0:',
            ),
        ),
    ),
    Mutant(
        "what a board makes of a change is not checked",
        "odd_rules",
        ((_NODE + "delta.py", "if self._digest.digest()[:16] != self._wanted:", "if False:"),),
    ),
    Mutant(
        "a board forgets the key that its rules were sealed with",
        "new_key_midway",
        ((_NODE + "credentials.py", "keys = keys.former", "keys = None"),),
    ),
)
