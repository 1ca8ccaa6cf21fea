"""Fuzzing of every parser that meets the network or a file: `python -m tests.fuzz NAME --seconds 600`.

Each module of `parsers` is a harness: what is read, from which good examples strange ones are made, and what may come
out. With atheris installed (`pip install atheris`, Linux and macOS) the way through the code decides what is tried
next; without it examples are changed at random. The suite runs a few hundred inputs of each, always the same.
"""
