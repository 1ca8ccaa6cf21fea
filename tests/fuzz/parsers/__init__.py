"""One harness each: what is read, and the good examples."""
