//! The one way to ask for people: of a model that knows its training subjects, and of one that was handed on without them.

use std::fmt::Debug;

use rand_chacha::ChaCha8Rng;

use super::{Facts, People, Person, Population};

/// Who new patients are drawn from, and what goes with their beats.
pub(crate) trait Crowd: Debug + Send + Sync {
    /// A new patient. Two draws that differ only in `near` depart from other training subjects, where any are known: `near` counts
    /// patients, so that each is departed from equally often. `novelty` is 1 for nothing of one in particular.
    fn new_patient(&self, novelty: f64, near: usize, rng: &mut ChaCha8Rng) -> Person;

    /// The training subject of that name; `None` where there is none, or none is known.
    fn subject(&self, name: &str) -> Option<Person>;

    /// The training subjects that have the class, as far as they are known.
    fn subjects_with(&self, label: &str) -> Vec<&str>;

    /// How many people it was drawn from.
    fn len(&self) -> usize;

    /// Whether training subjects are known by name.
    fn knows_subjects(&self) -> bool;

    /// Whether beats of the class can be made.
    fn has_class(&self, label: &str) -> bool;

    /// How much of the class each of these patients has, beside the others.
    fn weights(&self, people: &[Person], label: &str) -> Vec<f64>;

    /// What goes with a beat of the class, in the rhythm asked for (`""`: in any).
    fn facts(&self, person: &Person, label: &str, rhythm: &str, rng: &mut ChaCha8Rng) -> Facts;

    /// Standard deviations within a person: of the logarithm of each channel's scale, and of its offset over scale.
    fn within(&self) -> [&[f64]; 2];
}

impl Crowd for People {
    fn new_patient(&self, novelty: f64, near: usize, rng: &mut ChaCha8Rng) -> Person {
        self.draw(novelty, near, rng)
    }

    fn subject(&self, name: &str) -> Option<Person> {
        let index = self.population.members.iter().position(|member| member.name == name)?;
        Some(self.population.member(index, &self.numbers))
    }

    fn subjects_with(&self, label: &str) -> Vec<&str> {
        let with = self.population.members.iter().filter(|member| member.classes.contains_key(label));
        with.map(|member| member.name.as_str()).collect()
    }

    fn len(&self) -> usize {
        self.population.members.len()
    }

    fn knows_subjects(&self) -> bool {
        true
    }

    fn has_class(&self, _label: &str) -> bool {
        true
    }

    fn weights(&self, people: &[Person], label: &str) -> Vec<f64> {
        // Patients who are nearest to the same training subject share what that one has.
        let nearest: Vec<usize> = people.iter().map(Population::nearest).collect();
        let alike = |person: usize| nearest.iter().filter(|other| nearest.get(person) == Some(*other)).count() as f64;
        people.iter().enumerate().map(|(i, person)| self.population.has(person, label) as f64 / alike(i)).collect()
    }

    fn facts(&self, person: &Person, label: &str, rhythm: &str, rng: &mut ChaCha8Rng) -> Facts {
        self.population.facts(person, label, rhythm, rng)
    }

    fn within(&self) -> [&[f64]; 2] {
        [&self.population.log_scale_within, &self.population.offset_ratio_within]
    }
}
