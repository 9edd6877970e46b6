//! What a measure is called in words. `scores.json` keeps the field's short names in snake case.

use physiosynth_evaluation::{Better, Measure};

/// A measure's name as a reader would write it: `prd_nearest` is `PRD to the nearest real segment`.
pub fn measure_in_words(name: &str) -> String {
    known(name).unwrap_or_else(|| capitalised(&pieces(name)))
}

/// `text` (the reason of a verdict, a note) with the names of `measures`, and of the classifiers that they end with, in words:
/// `p_wave_share is 0.5` becomes `Beats with a P wave is 0.5`.
pub fn text_in_words(text: &str, measures: &[Measure]) -> String {
    let named = |word: &str| word.contains('_') && measures.iter().any(|m| m.name == word);
    let judges: Vec<&str> = measures.iter().filter_map(|m| m.name.strip_prefix("tstr_over_trtr_")).collect();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        if judges.contains(&word) {
            out.push_str(&judge_in_words(word));
        } else if named(word) {
            out.push_str(&measure_in_words(word));
        } else {
            out.push_str(word);
        }
        rest = after;
    }
    out + rest
}

/// Which values are good, in words.
pub(crate) fn better_in_words(better: Better) -> &'static str {
    match better {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
        Better::NearSame => "best near same",
    }
}

/// The same as a sign.
pub(crate) fn better_as_sign(better: Better) -> &'static str {
    match better {
        Better::Higher => "↑",
        Better::Lower => "↓",
        Better::NearSame => "≈",
    }
}

/// A set of segments, as figures and tables call it.
pub(crate) fn set_in_words(set: &str) -> String {
    match set {
        "train" => "real, training subjects".into(),
        "held_out" => "real, held-out subjects".into(),
        "same" => "real against real (same)".into(),
        "training_copy" => "training copies".into(),
        "jittered_copy" => "jittered copies".into(),
        "mean_plus_noise" => "class mean plus noise".into(),
        "pca_gaussian" => "PCA-Gaussian".into(),
        "mcsharry" => "McSharry simulator".into(),
        "vector_autoregressive" => "vector autoregression".into(),
        "other_segments_of_training_subjects" => "other segments of the training subjects".into(),
        other => other.replace('_', " "),
    }
}

/// A classifier that sits in judgement.
pub(crate) fn judge_in_words(judge: &str) -> String {
    match judge {
        "forest" => "random forest".into(),
        "forest_shape" => "random forest, shape alone".into(),
        "conv" | "convolutional" => "convolutional net".into(),
        "recurrent" => "recurrent net".into(),
        "attention" | "attentive" | "conv_recurrent" | "convolutional_recurrent" => {
            "convolutional-recurrent net with attention".into()
        }
        other => match other.strip_suffix("_shape") {
            Some(stem) => format!("{}, shape alone", judge_in_words(stem)),
            None => other.replace('_', " "),
        },
    }
}

fn known(name: &str) -> Option<String> {
    whole(name)
        .map(String::from)
        .or_else(|| paired(name))
        .or_else(|| judged(name))
        .or_else(|| attacked(name))
        .or_else(|| clinical(name))
}

/// Names that are looked up as they are.
fn whole(name: &str) -> Option<&'static str> {
    Some(match name {
        "marginal_distribution_difference" => "Difference of amplitude histograms",
        "autocorrelation_difference" => "Autocorrelation difference",
        "skewness_difference" => "Skewness difference",
        "kurtosis_difference" => "Kurtosis difference",
        "amplitude_wasserstein" => "Wasserstein distance of amplitudes",
        "log_spectral_distance" => "Log-spectral distance",
        "log_spectral_distance_delta" => "Log-spectral distance, 0.5–4 Hz",
        "log_spectral_distance_theta" => "Log-spectral distance, 4–8 Hz",
        "log_spectral_distance_alpha" => "Log-spectral distance, 8–13 Hz",
        "log_spectral_distance_beta" => "Log-spectral distance, 13–30 Hz",
        "log_spectral_distance_gamma" => "Log-spectral distance, 30–45 Hz",
        "gaussian_frechet" => "Gaussian Fréchet distance",
        "context_fid" => "Context-FID",
        "mmd_squared" => "Maximum mean discrepancy, squared",
        "mmd_p" => "Maximum mean discrepancy, p-value",
        "predictive_score_ridge" => "Predictive score (ridge regression)",
        "alpha_precision" => "α-precision",
        "beta_recall" => "β-recall",
        "precision" => "Precision",
        "recall" => "Recall",
        "density" => "Density",
        "coverage" => "Coverage",
        "authenticity" => "Authenticity",
        "spread_ratio" => "Spread, synthetic over real",
        "distinct_nearest_share" => "Distinct nearest neighbours",
        "exact_copy_share" => "Exact copies",
        "near_copy_share" => "Exact or near copies",
        "dcr" => "Distance to the closest training record",
        "dcr_closer_share" => "Closer to training than held-out is",
        "nndr" => "Nearest-neighbour distance ratio",
        "linkage_ratio" => "Linkage: distance ratio",
        "linkage_auc" => "Linkage: area under the curve",
        "linkage_p" => "Linkage: p-value",
        "linkage_source_share" => "Linkage: nearest to the source subject",
        "linkage_source_patients" => "Linkage: patients of known source",
        "p_wave_share" => "Beats with a P wave",
        "qrs_share" => "Beats with a QRS complex",
        "t_wave_share" => "Beats with a T wave",
        "outside_limits_share" => "Outside plausible limits",
        "band_share_difference_mean" => "Shares of the bands, mean relative difference",
        "band_share_difference_largest" => "Shares of the bands, largest relative difference",
        "band_share_within_tenth" => "Shares of the bands, within 10% of real",
        "channel_correlation_mae" => "Correlation of channels, mean error",
        "channel_coherence_mae" => "Coherence of channels, mean error",
        _ => return None,
    })
}

/// Measures between two segments.
fn paired(name: &str) -> Option<String> {
    let (stem, of) = [("_nearest", "to the nearest real segment"), ("_class_mean", "between class means")]
        .into_iter()
        .find_map(|(end, of)| Some((name.strip_suffix(end)?, of)))?;
    let what = match stem {
        "prd" => "PRD",
        "prdn" => "PRDN",
        "rmse" => "RMSE",
        "mae" => "MAE",
        "pearson" => "Pearson correlation",
        "discrete_frechet" => "Discrete Fréchet distance",
        "dtw" => "Dynamic time warping",
        _ => return None,
    };
    Some(format!("{what} {of}"))
}

/// Measures that classifiers give.
fn judged(name: &str) -> Option<String> {
    let first = |of: &[(&str, &'static str)], name: &str| {
        of.iter().find_map(|(start, words)| Some((name.strip_prefix(start)?.to_string(), *words)))
    };
    let whole = [
        ("tstr_over_trtr_", "Trained on synthetic: macro-F1 over real's"),
        ("augmentation_gain_", "Synthetic added to real: gain in macro-F1"),
        ("discriminator_auc_", "Real told from synthetic: area under the curve"),
        ("discriminative_score_", "Real told from synthetic: |accuracy − 0.5|"),
    ];
    if let Some((judge, words)) = first(&whole, name) {
        return Some(format!("{words} ({})", judge_in_words(&judge)));
    }
    let sets =
        [("tstr_", "Trained on synthetic"), ("trtr_", "Trained on real"), ("trts_", "Trained on real, tested on synthetic")];
    let (rest, sets) = first(&sets, name)?;
    let (rest, subjects) =
        rest.strip_prefix("without_largest_").map_or((rest.as_str(), ""), |r| (r, ", without the largest subjects"));
    let statistics =
        [("macro_f1_", "macro-F1"), ("f1_", "F1"), ("sensitivity_", "sensitivity"), ("predictivity_", "positive predictivity")];
    let (judge, statistic) = first(&statistics, rest)?;
    Some(format!("{sets}: {statistic}{subjects} ({})", judge_in_words(&judge)))
}

/// Attacks on membership.
fn attacked(name: &str) -> Option<String> {
    let rest = name.strip_prefix("membership_")?;
    let (rest, value) = [
        ("_auc", ": area under the curve"),
        ("_tpr_p", ": true-positive rate, p-value"),
        ("_tpr", ": true-positive rate"),
        ("_p", ": p-value"),
        ("", ""),
    ]
    .into_iter()
    .find_map(|(end, value)| Some((rest.strip_suffix(end)?, value)))?;
    let levels = [("_subject_top", "subjects' top segments"), ("_subject", "subjects"), ("_segment", "segments")];
    let (attack, level) = levels.into_iter().find_map(|(end, level)| Some((rest.strip_suffix(end)?, level)))?;
    Some(format!("Membership by {}, {level}{value}", attack.replace('_', " ")))
}

/// Distances between the distributions of clinical quantities.
fn clinical(name: &str) -> Option<String> {
    let quantity = name.strip_prefix("wasserstein_")?;
    let (quantity, when) = quantity.strip_suffix("_afib").map_or((quantity, ""), |q| (q, " in atrial fibrillation"));
    Some(format!("{}{when}, Wasserstein distance", quantity_in_words(quantity)?))
}

/// A clinical quantity, without its unit.
pub(crate) fn quantity_in_words(name: &str) -> Option<String> {
    let exact = match name {
        "pr_ms" => "PR interval",
        "qrs_ms" => "QRS duration",
        "qt_ms" => "QT interval",
        "qtc_fridericia_ms" => "QTc (Fridericia)",
        "qtc_bazett_ms" => "QTc (Bazett)",
        "rr_ms" => "RR interval",
        "p_mv" => "P amplitude",
        "r_mv" => "R amplitude",
        "s_mv" => "S amplitude",
        "t_mv" => "T amplitude",
        "st60_mv" => "ST level at J + 60 ms",
        "st80_mv" => "ST level at J + 80 ms",
        "mean_nn_ms" => "Mean NN interval",
        "sdnn_ms" => "SDNN",
        "rmssd_ms" => "RMSSD",
        "pnn50_percent" => "pNN50",
        "spectral_edge_hz" => "Spectral edge (95%)",
        "spectral_entropy" => "Spectral entropy",
        "hjorth_activity" => "Hjorth activity",
        "hjorth_mobility_per_s" => "Hjorth mobility",
        "hjorth_complexity" => "Hjorth complexity",
        "line_length_per_s" => "Line length",
        _ => "",
    };
    if !exact.is_empty() {
        return Some(exact.into());
    }
    let (band, what) = name.strip_suffix("_share").map(|band| (band, "share of power")).or_else(|| {
        let (band, unit) = name.split_once("_power_")?;
        (!unit.contains('_')).then_some((band, "power"))
    })?;
    ["delta", "theta", "alpha", "beta", "gamma"].contains(&band).then(|| format!("{} band, {what}", capitalised(band)))
}

/// A name that nobody told us of: its words, abbreviations in capitals.
fn pieces(name: &str) -> String {
    const CAPITALS: [&str; 24] = [
        "prd", "rmse", "mae", "dtw", "mmd", "psd", "fid", "auc", "tpr", "rr", "pr", "qrs", "qt", "sd", "pca", "hrv", "sdnn",
        "rmssd", "st", "f1", "nn", "tstr", "trtr", "trts",
    ];
    let words: Vec<String> = name
        .split('_')
        .map(|word| match word {
            word if CAPITALS.contains(&word) => word.to_uppercase(),
            "qtc" => "QTc".into(),
            "pnn50" => "pNN50".into(),
            "st60" | "st80" => format!("ST {} ms", &word[2..]),
            "frechet" => "Fréchet".into(),
            "pearson" => "Pearson".into(),
            "gaussian" => "Gaussian".into(),
            "wasserstein" => "Wasserstein".into(),
            word => word.into(),
        })
        .collect();
    words.join(" ")
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + characters.as_str())
}

#[cfg(test)]
mod tests {
    use physiosynth_evaluation::Scores;
    use physiosynth_evaluation::measures::pairwise::PAIRWISE;
    use physiosynth_evaluation::measures::segments::BY_SEGMENT;
    use physiosynth_evaluation::measures::sets::OF_SETS;

    use super::*;

    #[test]
    fn every_measure_has_words_of_its_own() {
        let paired = PAIRWISE.iter().flat_map(|m| ["nearest", "class_mean"].map(|of| format!("{}_{of}", m.about.name)));
        let sets = OF_SETS.iter().map(|m| m.about.name).chain(BY_SEGMENT.iter().map(|m| m.about.name)).map(String::from);
        let clinical = ["pr_ms", "qtc_bazett_ms", "st60_mv", "rmssd_ms", "pnn50_percent", "delta_power_uv2", "alpha_share"];
        let clinical = clinical.map(|q| format!("wasserstein_{q}"));
        let others = [
            "tstr_macro_f1_forest",
            "tstr_over_trtr_forest_shape",
            "augmentation_gain_forest",
            "trtr_macro_f1_convolutional",
            "tstr_without_largest_f1_attentive",
            "wasserstein_sdnn_ms_afib",
            "discriminator_auc_forest",
            "membership_density_ratio_subject_top_p",
            "membership_distance_segment_tpr_p",
            "linkage_source_share",
            "p_wave_share",
            "channel_coherence_mae",
        ];
        let names: Vec<String> = paired.chain(sets).chain(clinical).chain(others.map(String::from)).collect();
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            let words = known(&name).unwrap_or_else(|| panic!("{name} has no words"));
            assert!(!words.contains('_') && words.len() > 3, "{name}: {words}");
            assert!(seen.insert(words.clone()), "{name}: {words} is another's");
        }
        assert_eq!(
            measure_in_words("membership_density_ratio_subject_auc"),
            "Membership by density ratio, subjects: area under the curve"
        );
        assert_eq!(measure_in_words("new_qt_thing"), "New QT thing");
    }

    #[test]
    fn texts_name_measures_in_words() {
        let measures = ["rmse_class_mean", "tstr_over_trtr_forest_shape"].map(|name| crate::figures::tests::measure(name, "N"));
        let scores = Scores { measures: measures.into(), ..Scores::default() };
        let text = "N: rmse_class_mean is 0.1; rmse_class_means and coverage stay (x_y); forest_shape: 1";
        assert_eq!(
            text_in_words(text, &scores.measures),
            "N: RMSE between class means is 0.1; rmse_class_means and coverage stay (x_y); random forest, shape alone: 1"
        );
    }
}
