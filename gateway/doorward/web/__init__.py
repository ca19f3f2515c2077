"""The page and the API: what people and the command line see of the gateway."""

from doorward.web.app import create_app, create_broker_app

__all__ = ["create_app", "create_broker_app"]
