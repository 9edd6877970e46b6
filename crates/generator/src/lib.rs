//! The BiRNN generator: model, objectives, training, checkpoints, sampling, assembly of records.
