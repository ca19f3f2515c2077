"""Use cases: what the gateway does when a card is presented, a board speaks or a person asks."""
