"""The parts of the pages: each shows one thing and acts on it."""
