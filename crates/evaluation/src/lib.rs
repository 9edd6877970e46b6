//! Measures of synthetic against real segments: fidelity and diversity, each beside its references.
