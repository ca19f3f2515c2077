"""Whose session a client id is, and what happens while somebody's login takes its time."""

import asyncio
from dataclasses import dataclass, field

import pytest
from broker_support import GATEWAY, Client, running_broker, secret

from doorward.broker import Limits, Principal, Principals, Role
from doorward.broker.identity.ports import Refusal
from doorward_core import mqtt

LESSON = "school/room1/lesson"


async def refused(site, name, **options):
    """The code that a CONNECT is refused with."""
    client = await Client.open(site.port)
    present, code = await client.try_connect(name, **options)
    assert not present
    assert await client.is_closed()
    await client.drop()
    return code


async def test_a_user_may_have_several_clients_at_once(tmp_path):
    async with (
        running_broker(tmp_path, users=("sam",)) as site,
        site.client("sam", client_id="phone") as phone,
        site.client("sam", client_id="Küche: 2 \N{SNOWMAN}\n") as panel,
        site.client("sam") as plain,
    ):
        for client in (phone, panel, plain):
            await client.subscribe(LESSON)
        await plain.publish(LESSON, b"math")
        for client in (phone, panel, plain):
            assert [one.payload for one in await client.messages()] == [b"math"]


async def test_a_device_has_one_client_id_only(tmp_path):
    async with running_broker(tmp_path) as site:
        assert await refused(site, "front", client_id="front-2") == mqtt.BAD_CLIENT_ID
        assert await refused(site, GATEWAY, client_id="") == mqtt.BAD_CLIENT_ID
        assert [one.principal for one in site.denials] == ["front", GATEWAY]
        async with site.client("front"):
            pass


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("online", [True, False])
async def test_another_user_neither_takes_a_session_over_nor_ends_it(tmp_path, clean, online):
    async with running_broker(tmp_path, users=("sam", "eve")) as site:
        phone = await Client.open(site.port)
        await phone.connect("sam", client_id="phone", clean=False)
        await phone.subscribe(LESSON)
        if not online:
            await phone.drop()
            await site.gone("phone")
        assert await refused(site, "eve", client_id="phone", clean=clean) == mqtt.BAD_CLIENT_ID
        (denial,) = site.denials
        assert (denial.principal, denial.action) == ("eve", "connect")
        async with site.client("eve", client_id="telephone", clean=clean) as eve:
            await eve.publish(LESSON, b"math")
        if not online:
            phone = await Client.open(site.port)
            assert await phone.connect("sam", client_id="phone", clean=False)
        assert [one.payload for one in await phone.messages()] == [b"math"]
        await phone.drop()


@pytest.mark.parametrize("name", ["front", GATEWAY, "eve"])
async def test_nobody_may_call_himself_what_another_is_called(tmp_path, name):
    async with running_broker(tmp_path, users=("sam", "eve")) as site:
        assert await refused(site, "sam", client_id=name) == mqtt.BAD_CLIENT_ID
        assert len(site.denials) == 1
        async with site.client(name):
            pass


async def test_a_new_device_gets_its_name_from_whoever_sat_on_it(tmp_path):
    async with running_broker(tmp_path, users=("sam",)) as site:
        squatter = await Client.open(site.port)
        await squatter.connect("sam", client_id="side", clean=False)
        await squatter.subscribe(LESSON)
        site.principals.add("side", secret("side"))
        assert await squatter.is_closed()
        await squatter.drop()
        side = await Client.open(site.port)
        assert not await side.connect("side", clean=False), "and nothing of the other session"
        assert site.broker._router.sessions["side"].subscriptions == {}
        await side.drop()


async def test_the_owner_of_a_session_is_known_after_a_restart(tmp_path):
    async with (
        running_broker(tmp_path, users=("sam", "eve")) as site,
        site.client("sam", client_id="phone", clean=False) as phone,
    ):
        await phone.subscribe(LESSON)
    async with running_broker(tmp_path, users=("sam", "eve")) as site:
        assert await refused(site, "eve", client_id="phone", clean=False) == mqtt.BAD_CLIENT_ID
        async with site.client("eve") as eve:
            await eve.publish(LESSON, b"math")
        async with site.client("sam", client_id="phone", clean=False) as phone:
            assert [one.payload for one in await phone.messages()] == [b"math"]
    async with running_broker(tmp_path, users=("eve",)) as site:
        assert site.broker.status().sessions == 0, "its owner is gone"


async def test_removing_a_user_ends_all_its_sessions(tmp_path):
    async with running_broker(tmp_path, users=("sam", "eve")) as site:
        phone, panel = await Client.open(site.port), await Client.open(site.port)
        await phone.connect("sam", client_id="phone")
        await panel.connect("sam", client_id="panel", clean=False)
        async with site.client("sam", client_id="away", clean=False):
            pass
        async with site.client("eve", clean=False):
            await site.broker.expel("sam")
            assert await phone.is_closed()
            assert await panel.is_closed()
            assert set(site.broker._router.sessions) == {"eve"}
        assert not site.broker.connected()["sam"]
        await phone.drop()
        await panel.drop()


async def test_an_empty_client_id_gets_a_new_one_each(tmp_path):
    async with (
        running_broker(tmp_path, users=("sam",)) as site,
        site.client("sam", client_id="") as first,
        site.client("sam", client_id="") as second,
    ):
        names = list(site.broker._router.sessions)
        assert len(set(names)) == 2
        assert all(name.startswith("auto-") for name in names)
        for client in (first, second):
            await client.subscribe(LESSON)
            await client.publish(LESSON, b"math")
        assert len(await first.messages()) == 2


async def test_an_empty_client_id_has_nothing_to_keep(tmp_path):
    """[MQTT-3.1.3-8]."""
    async with running_broker(tmp_path, users=("sam",)) as site:
        assert await refused(site, "sam", client_id="", clean=False) == mqtt.BAD_CLIENT_ID


@dataclass
class SlowLogins:
    """Decides when the test says so."""

    principals: Principals
    asked: list[tuple[str, str]] = field(default_factory=list)
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    finished: int = 0

    def check(self, name, password, address):
        self.asked.append((name, address))
        return self._later(name, password)

    async def _later(self, name, password):
        await self.decided.wait()
        self.finished += 1
        if password == b"breaks":
            raise RuntimeError("a bug")
        return self.principals.check(name, password) or Refusal(mqtt.BAD_LOGIN, "wrong")


class Slow:
    """A broker whose logins take their time."""

    def __init__(self, folder, **options):
        self.context = running_broker(folder, users=("sam",), logins=self._make, **options)

    def _make(self, principals):
        self.logins = SlowLogins(principals)
        return self.logins

    async def __aenter__(self):
        self.site = await self.context.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self.context.__aexit__(*error)

    def deciding(self):
        return len(self.site.broker._exchange.deciding)

    async def nobody_waits(self):
        """Return when the broker has decided all logins, or let them go."""
        async with asyncio.timeout(5):
            while self.deciding():
                self.site.broker.sweep()
                await asyncio.sleep(0.005)

    async def knock(self, *more, password=None):
        """A client whose CONNECT is being decided."""
        client = await Client.open(self.site.port)
        packet = mqtt.connect("sam", 0, False, "sam", password or secret("sam"))
        client.write(b"".join((packet, *more)))
        count = len(self.logins.asked)
        async with asyncio.timeout(5):
            while len(self.logins.asked) == count:  # noqa: ASYNC110 - only the broker knows
                await asyncio.sleep(0.005)
        return client


async def test_what_comes_behind_a_connect_waits_for_the_login(tmp_path):
    subscribe = mqtt.subscribe(1, [(LESSON, 1)])
    publish = mqtt.publish(LESSON, b"math", 1, False, False, 2)
    async with Slow(tmp_path) as slow:
        client = await slow.knock(subscribe, publish)
        assert slow.logins.asked == [("sam", "127.0.0.1")]
        client.write(mqtt.unsubscribe(3, [LESSON]))
        await asyncio.sleep(0.02)
        assert slow.site.broker.status().sessions == 0
        assert client._packets == []
        slow.logins.decided.set()
        assert mqtt.parse_connack(await client.expect(mqtt.CONNACK)) == (False, 0)
        assert mqtt.parse_suback(await client.expect(mqtt.SUBACK)) == (1, b"\1")
        assert (await client.message()).payload == b"math"
        assert mqtt.parse_ack(await client.expect(mqtt.PUBACK)) == 2
        assert mqtt.parse_ack(await client.expect(mqtt.UNSUBACK)) == 3
        assert not await client.is_closed()
        await client.drop()


@pytest.mark.parametrize("password", ["wrong", "breaks"])
async def test_a_login_that_fails_later_leaves_the_session_as_it_is(tmp_path, password):
    async with Slow(tmp_path) as slow:
        slow.logins.decided.set()
        victim = await slow.knock()
        await victim.expect(mqtt.CONNACK)
        await victim.subscribe(LESSON)
        slow.logins.decided.clear()
        thief = await slow.knock(mqtt.publish(LESSON, b"forged"), password=password)
        assert not await victim.is_closed()
        slow.logins.decided.set()
        code = mqtt.BAD_LOGIN if password == "wrong" else mqtt.UNAVAILABLE
        assert mqtt.parse_connack(await thief.expect(mqtt.CONNACK)) == (False, code)
        assert await thief.is_closed()
        await thief.drop()
        assert await victim.messages() == []
        await victim.drop()


async def test_a_login_is_given_longer_than_a_connect_and_not_for_ever(tmp_path):
    """Mutants: `connect_within` for both; a login that nobody takes out of its line."""
    now = 0.0
    async with Slow(tmp_path, clock=lambda: now) as slow:
        client = await slow.knock()
        now = Limits().connect_within + 0.1
        slow.site.broker.sweep()
        now = Limits().login_within - 0.1
        slow.site.broker.sweep()
        assert slow.deciding() == 1
        now = Limits().login_within + 0.1
        slow.site.broker.sweep()
        assert mqtt.parse_connack(await client.expect(mqtt.CONNACK)) == (False, mqtt.UNAVAILABLE)
        assert await client.is_closed()
        await slow.nobody_waits()
        slow.logins.decided.set()
        assert slow.logins.finished == 0
        assert slow.site.broker.status().sessions == 0
        await client.drop()


@pytest.mark.parametrize("said", [b"", mqtt.publish(LESSON, b"math", 0, False, False, 0)])
async def test_who_hangs_up_gives_up_his_place_unless_he_has_said_all_he_wanted(tmp_path, said):
    async with Slow(tmp_path) as slow:
        client = await slow.knock(said)
        await client.drop()
        if not said:
            await slow.nobody_waits()
        slow.site.broker.sweep()
        assert slow.deciding() == bool(said)
        slow.logins.decided.set()
        await slow.nobody_waits()
        assert slow.logins.finished == bool(said)


async def test_a_stranger_does_not_make_us_hold_much_while_he_waits(tmp_path):
    async with Slow(tmp_path) as slow:
        client = await slow.knock(*[mqtt.publish(LESSON, bytes(100))] * 50)
        with pytest.raises(EOFError):
            await client.expect(mqtt.CONNACK)
        await client.drop()


async def test_who_is_removed_while_he_logs_in_stays_outside(tmp_path):
    async with Slow(tmp_path) as slow:
        principal = slow.site.principals.get("sam")
        assert principal == Principal("sam", Role.USER)
        slow.logins._later = lambda *_: _answer(slow, principal)
        client = await slow.knock()
        slow.site.principals.remove("sam")
        slow.logins.decided.set()
        assert mqtt.parse_connack(await client.expect(mqtt.CONNACK)) == (False, mqtt.BAD_LOGIN)
        await client.drop()


async def _answer(slow, principal):
    await slow.logins.decided.wait()
    return principal


async def test_a_broker_stops_while_somebody_logs_in(tmp_path):
    async with Slow(tmp_path) as slow:
        client = await slow.knock()
    assert slow.logins.finished == 0
    assert not slow.site.broker._exchange.deciding
    await client.drop()


async def test_a_broker_stops_before_a_login_has_begun_and_after_one_that_ends_slowly(tmp_path):
    """Mutants: what has not begun is cancelled (what it would wait for is then never awaited); nobody waits."""
    async with Slow(tmp_path) as slow:
        tidied = []

        async def later(*_):
            try:
                await slow.logins.decided.wait()
            finally:
                tidied.append(await asyncio.sleep(0.02, "tidied"))

        slow.logins._later = later
        first = await slow.knock()
        check, stopping = slow.logins.check, []

        def check_and_stop(*login):
            stopping.append(asyncio.create_task(slow.site.broker.stop()))
            return check(*login)

        slow.logins.check = check_and_stop
        second = await slow.knock()
        await stopping[0]
        assert tidied == ["tidied"] * 2
        assert not slow.deciding()
        await first.drop()
        await second.drop()
