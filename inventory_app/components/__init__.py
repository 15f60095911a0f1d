"""The kit: plain functions with which a page reads as a description of what is on it."""
