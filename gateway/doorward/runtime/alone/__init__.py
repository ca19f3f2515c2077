"""`doorward broker run`: one process that starts as two programs.

The first reads settings and keys, brings broker.db up to date and certifies the server; then it becomes the second,
which serves, and has nothing of what that took in its memory. Between them goes a `Plan`. Nothing is imported here.
"""
