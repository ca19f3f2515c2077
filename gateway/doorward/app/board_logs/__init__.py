"""The boards' own logs: checked against all before, stored, and put into the audit."""
