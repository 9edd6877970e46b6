//! Networks learn what can be learnt, nothing else, and always the same.

use physiosynth_signal::Seed;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::*;
use crate::judges::area_under_curve;

const TIME: usize = 40;

/// Bumps that are wide (class 1) or not, at places of their own; facts say nothing, and the second is unknown now and then.
fn bumps(count: usize, purpose: &str) -> (Examples, Vec<usize>) {
    let mut rng = Seed(3).stream(purpose, 0);
    let (mut signals, mut facts, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..count {
        let class = i % 2;
        let (place, width) = (rng.random_range(15.0..25.0_f32), [2.0, 3.5][class] * rng.random_range(0.9..1.1_f32));
        signals.extend((0..TIME).map(|t| (-((t as f32 - place) / width).powi(2)).exp() + rng.random_range(-0.05..0.05)));
        facts.extend([rng.random_range(0.0..1.0), if i % 5 == 0 { f32::NAN } else { 3.0 }]);
        labels.push(class);
    }
    let examples = Examples {
        signals: Table::new(TIME, signals),
        channels: 1,
        facts: Table::new(2, facts),
        columns: Table::new(1, vec![0.0; count]),
        intervals: 0,
    };
    (examples, labels)
}

/// How well class 1 is told on fresh examples.
fn area(network: Network, examples: &Examples, labels: &[usize]) -> f64 {
    let learnt = network.learn(examples, labels, 2, Seed(1), "test");
    let (fresh, truth) = bumps(200, "fresh");
    let probabilities = learnt.probabilities(&fresh);
    assert!(probabilities.rows().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
    let scores: Vec<f32> = probabilities.rows().map(|row| row[1]).collect();
    area_under_curve(&scores, &truth.iter().map(|&class| class == 1).collect::<Vec<_>>()).unwrap()
}

#[test]
fn both_learn_a_width() {
    let (examples, labels) = bumps(200, "taught");
    for network in Network::all(60) {
        let area = area(network, &examples, &labels);
        assert!(area > 0.97, "{}: {area}", network.name());
    }
}

#[test]
fn shuffled_labels_teach_nothing() {
    let (examples, truth) = bumps(200, "taught");
    for network in Network::all(30) {
        // As many of each true class under either label: what is left to learn is noise, another each time.
        let areas = (0..6).map(|shuffle| {
            let mut labels = vec![0; truth.len()];
            for class in 0..2 {
                let mut order: Vec<usize> = (0..truth.len()).filter(|&i| truth[i] == class).collect();
                order.shuffle(&mut Seed(8).stream("labels", shuffle));
                order.iter().step_by(2).for_each(|&i| labels[i] = 1);
            }
            area(network, &examples, &labels)
        });
        let mean = areas.sum::<f64>() / 6.0;
        assert!((0.35..0.65).contains(&mean), "{}: {mean}", network.name());
    }
}

#[test]
fn the_same_to_the_bit_with_any_number_of_threads() {
    let (examples, labels) = bumps(80, "taught");
    for network in Network::all(6) {
        let bits = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let learnt = network.learn(&examples, &labels, 2, Seed(seed), "test");
                (learnt.probabilities(&examples), learnt.embedding(&examples))
            })
        };
        assert_eq!(bits(1, 1), bits(3, 1));
        assert_ne!(bits(1, 1), bits(1, 2));
    }
}

#[test]
fn every_weight_gets_a_gradient() {
    use burn::module::{ModuleVisitor, Param};
    struct Largest<'a>(&'a burn::tensor::Gradients, Vec<f32>);
    impl ModuleVisitor for Largest<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = param.val().grad(self.0).map(|g| g.abs().max().into_scalar::<f32>());
            self.1.push(gradient.unwrap_or(0.0));
        }
    }
    let (examples, _) = bumps(16, "taught");
    let scaling = Scaling::of(&examples);
    let device = Device::flex().autodiff();
    for (network, parameters) in Network::all(1).into_iter().zip([10, 16]) {
        let net = Net::new(network.architecture, &scaling, 2, &device, &mut Seed(1).stream("weights", 0));
        let (signals, facts) = scaling.tensors(&scaling.apply(&examples), &(0..16).collect::<Vec<_>>(), &device);
        let gradients = net.head(net.look(signals, facts).embedding).square().mean().backward();
        let mut largest = Largest(&gradients, Vec::new());
        net.visit(&mut largest);
        assert_eq!(largest.1.len(), parameters);
        // Softmax is the same wherever the scores begin: the bias of the attention's score alone has nothing to learn.
        let flat = largest.1.iter().filter(|&&g| g.abs() < 1e-9).count();
        assert!(flat <= usize::from(network.architecture == Architecture::Attentive), "{:?}", largest.1);
    }
}

#[test]
fn attention_sums_to_one_and_the_other_has_none() {
    let (examples, labels) = bumps(40, "taught");
    let [convolutional, attentive] = Network::all(4).map(|network| network.fit(&examples, &labels, 2, Seed(1), "test"));
    assert_eq!(convolutional.attention(&examples), None);
    let attention = attentive.attention(&examples).unwrap();
    assert_eq!((attention.len(), attention.columns()), (40, TIME / 4));
    assert!(attention.rows().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5 && row.iter().all(|&w| w > 0.0)));
}

#[test]
fn odd_lessons_are_survived() {
    let (examples, _) = bumps(9, "taught");
    for network in Network::all(2) {
        // A class without examples, nothing to say of nothing, no steps.
        let learnt = network.learn(&examples, &[0; 9], 2, Seed(1), "test");
        assert_eq!(learnt.probabilities(&examples).len(), 9);
        assert!(learnt.probabilities(&examples.select(&[])).is_empty());
        let untaught = Network { steps: 0, ..network }.learn(&examples, &[0, 1, 0, 1, 0, 1, 0, 1, 0], 2, Seed(1), "test");
        assert!(untaught.probabilities(&examples).rows().flatten().all(|p| p.is_finite()));
    }
}
