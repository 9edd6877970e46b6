//! Measures of synthetic against real segments: fidelity and diversity, each between its references and beside its
//! baselines.
//!
//! [`evaluate`] takes the real segments of a run (all splits) and its synthetic ones and returns [`Scores`]. How it keeps
//! itself honest:
//!
//! - the real training segments of a class are cut into two disjoint random halves. The first is the *reference*: every
//!   other set is scored against it, with the same number of reference segments, because a nearest neighbour is the
//!   nearer the more there are to choose from;
//! - `same` is the second half against the reference: what a perfect sampler would get;
//! - `held_out` is segments of subjects that were not trained on against the reference: what generalisation costs;
//! - `training_copy` is the reference against itself: the score of a generator that copies. Where it is the best value
//!   in the row, the measure rewards copying and must not be read alone;
//! - attacks on privacy ask about training and held-out subjects over random halves of both, and stand beside the same attacks on
//!   copies, on real segments of other subjects and on other segments of the subjects asked about;
//! - intervals resample subjects, not segments, and are left out where there are fewer than five subjects or one
//!   gives over half of the segments.
//!
//! Everything is computed in physical units (`signals × scale + offset`).
#![forbid(unsafe_code)]

mod assessments;
pub mod baselines;
mod cases;
pub mod clinical;
mod comparison;
mod config;
mod evaluate;
pub mod exhibits;
mod intervals;
pub mod judges;
mod linear;
pub mod measures;
pub mod neighbours;
mod pool;
mod privacy;
mod scores;
mod verdicts;

pub use comparison::{Comparison, Nearest, Shape, nearest};
pub use config::{EvaluationConfig, HeldOut};
pub use evaluate::{EvaluationError, evaluate, evaluate_with_records};
pub use pool::Pool;
pub use scores::{Better, Family, Measure, Outcome, Scores, Verdict};
