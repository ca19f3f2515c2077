"""What the API takes and gives.

An answer names each field of the application's own view that it is read from: no view leaks a field that it gains.
"""
