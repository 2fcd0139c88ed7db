"""Typed tables: kinds, reading files, splitting, digest."""
