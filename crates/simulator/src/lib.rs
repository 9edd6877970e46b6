//! Simulated, annotated recordings: the demo database and a baseline.
