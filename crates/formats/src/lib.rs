//! Read and write recordings and segment files.
