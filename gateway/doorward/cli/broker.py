"""`doorward broker`: the MQTT broker, who may come to it and what they may do there."""

import click

from doorward.cli.broker_acl import acl
from doorward.cli.broker_logs import logs
from doorward.cli.broker_run import run
from doorward.cli.broker_users import users
from doorward.cli.mosquitto import mosquitto


@click.group()
def broker() -> None:
    """The MQTT broker."""


broker.add_command(run)
broker.add_command(users)
broker.add_command(acl)
broker.add_command(logs)
broker.add_command(mosquitto)
