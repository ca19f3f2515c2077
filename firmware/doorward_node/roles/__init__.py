# What a board is: one module a role, of which the one in config.json is loaded, and forgotten again.
#
# lock(config) makes what the supervisor watches from the first instant on: a drivers.strike.Strike.
# build(config, lock, directory, (prefix, session, clock, journal, credentials), now) makes the rest:
# (app.App, what reads cards or codes, for App.attach).
