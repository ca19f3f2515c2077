"""The demo: a gateway, its virtual site, and the lab that runs the boards."""
