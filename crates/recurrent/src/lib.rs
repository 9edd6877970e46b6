//! Recurrent layers for burn with whole-sequence kernels.
