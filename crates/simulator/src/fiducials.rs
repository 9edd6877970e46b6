/// Where a wave begins, peaks and ends, in seconds from the start of the record. Begin and end are where its outermost
/// Gaussian has 8 % of its height (2.25 standard deviations from the centre).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WaveLimits {
    /// Beginning.
    pub onset_s: f64,
    /// Centre of the wave's largest part in the first lead.
    pub peak_s: f64,
    /// End.
    pub offset_s: f64,
}

/// The truth about one simulated beat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fiducials {
    /// Position of the annotation: the sample nearest to the R peak.
    pub sample: i64,
    /// Class: `N`, `S` or `V`.
    pub label: &'static str,
    /// Time of the R peak.
    pub r_peak_s: f64,
    /// P wave; none where the beat has none (V).
    pub p: Option<WaveLimits>,
    /// QRS complex.
    pub qrs: Option<WaveLimits>,
    /// T wave.
    pub t: Option<WaveLimits>,
}
