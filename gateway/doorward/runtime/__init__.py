"""Where everything is wired together: the only code that knows all the concrete parts.

Nothing is imported here: a broker that runs alone does without a gateway's memory.
"""
