//! The forest against scikit-learn's on the same data (`goldens/forest.py`).

use physiosynth_evaluation::judges::{Classifier, Examples, Forest, Table, area_under_curve};
use physiosynth_signal::Seed;
use serde_json::Value;

fn table(value: &Value) -> Examples {
    let rows = value.as_array().unwrap();
    let columns = rows[0].as_array().unwrap().len();
    let values = rows.iter().flat_map(|row| row.as_array().unwrap()).map(|x| x.as_f64().unwrap() as f32).collect();
    Examples { columns: Table::new(columns, values), ..Examples::default() }
}

fn labels(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

fn close(name: &str, found: &[f64], golden: &Value) {
    let (mean, spread) = (golden[0].as_f64().unwrap(), golden[1].as_f64().unwrap());
    let ours = found.iter().sum::<f64>() / found.len() as f64;
    // The spread is that of single forests of scikit-learn, by seed.
    assert!((ours - mean).abs() < 2.0 * spread, "{name}: {ours} against scikit-learn's {mean} ± {spread}");
}

#[test]
fn as_accurate_as_scikit_learn() {
    let golden: Value = serde_json::from_str(include_str!("goldens/forest.json")).unwrap();
    let (train, test) = (table(&golden["train"]), table(&golden["test"]));
    let (train_labels, test_labels) = (labels(&golden["train_labels"]), labels(&golden["test_labels"]));
    let (mut accuracies, mut areas) = (Vec::new(), Vec::new());
    for seed in 0..10 {
        let fitted = Forest::new(150).fit(&train, &train_labels, 3, Seed(seed), "golden");
        let probabilities = fitted.probabilities(&test);
        let right = probabilities.rows().zip(&test_labels).filter(|(row, label)| row.iter().all(|p| *p <= row[**label])).count();
        accuracies.push(right as f64 / test_labels.len() as f64);
        let scores: Vec<f32> = probabilities.rows().map(|row| row[2]).collect();
        let positive: Vec<bool> = test_labels.iter().map(|label| *label == 2).collect();
        areas.push(area_under_curve(&scores, &positive).unwrap());
        assert!(probabilities.rows().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
    }
    close("accuracy", &accuracies, &golden["accuracy"]);
    close("area", &areas, &golden["area"]);
}

#[test]
fn same_bits_for_any_number_of_threads_and_others_for_another_seed() {
    let golden: Value = serde_json::from_str(include_str!("goldens/forest.json")).unwrap();
    let (train, train_labels) = (table(&golden["train"]), labels(&golden["train_labels"]));
    let fit = |seed| Forest::new(30).fit(&train, &train_labels, 3, Seed(seed), "threads").probabilities(&train);
    let threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    assert_eq!(threads(1).install(|| fit(1)), threads(3).install(|| fit(1)));
    assert_ne!(fit(1), fit(2));
}

#[test]
fn missing_values_go_one_way_and_constant_columns_do_no_harm() {
    let values = (0..40).flat_map(|i| [if i % 2 == 0 { f32::NAN } else { 3.0 }, 1.0]).collect();
    let examples = Examples { columns: Table::new(2, values), ..Examples::default() };
    let labels: Vec<usize> = (0..40).map(|i| i % 2).collect();
    let fitted = Forest::new(20).fit(&examples, &labels, 2, Seed(0), "missing");
    for (i, row) in fitted.probabilities(&examples).rows().enumerate() {
        assert!(row[i % 2] > 0.99, "{i}: {row:?}");
    }
    let constant = Examples { columns: Table::new(1, vec![2.0; 40]), ..Examples::default() };
    let fitted = Forest::new(20).fit(&constant, &labels, 2, Seed(0), "constant");
    assert!(fitted.probabilities(&constant).rows().all(|row| (row[0] - 0.5).abs() < 0.2));
}
