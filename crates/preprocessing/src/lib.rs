//! From annotated records to equal-length, normalised, clustered segments.
