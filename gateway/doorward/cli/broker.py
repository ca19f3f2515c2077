"""`doorward broker`: the MQTT broker, who may come to it and what they may do there."""

import click

from doorward.cli.broker_users import users


@click.group()
def broker() -> None:
    """The MQTT broker."""


broker.add_command(users)
