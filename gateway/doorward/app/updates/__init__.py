"""Firmware for boards: what there is of it, who may sign it, and how it gets to them."""
