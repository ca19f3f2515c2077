"""Boards as an operator has them: adopted, there or not, given new keys, tested."""
