//! Several trainings at once.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `work` on each of `jobs`, as many at once as there are threads in the pool that this is called from; results in the order of the
/// jobs.
///
/// Networks as small as ours gain little from threads inside a training. Here each training has a pool of one thread to itself: its
/// operations never wait for those of another, and never take up another's work while they wait.
pub(crate) fn side_by_side<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let threads = rayon::current_num_threads().min(jobs.len());
    let pools: Result<Vec<_>, _> = (0..threads).map(|_| rayon::ThreadPoolBuilder::new().num_threads(1).build()).collect();
    let Ok(pools) = pools else {
        // No thread to be had: one after the other, with the same results.
        return jobs.iter().map(work).collect();
    };
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(jobs.len()));
    let (next, done, work) = (&next, &done, &work);
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(move || {
                pool.install(|| {
                    while let Some((number, job)) =
                        Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, jobs.get(n)?)))
                    {
                        let result = work(job);
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
                    }
                });
            });
        }
    });
    let mut done = std::mem::take(&mut *done.lock().unwrap_or_else(PoisonError::into_inner));
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::side_by_side;

    #[test]
    fn results_are_in_order_and_every_job_is_done_once() {
        let jobs: Vec<usize> = (0..50).collect();
        let wanted: Vec<usize> = jobs.iter().map(|n| n * n).collect();
        for threads in [1, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| side_by_side(&jobs, |n| n * n)), wanted);
        }
        assert!(side_by_side(&[], |n: &usize| *n).is_empty());
    }
}
