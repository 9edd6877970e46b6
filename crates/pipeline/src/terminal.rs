//! Progress on standard error: a bar with a rate and the time left on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use physiosynth_signal::Progress;

use crate::interrupt;

/// Where no bar can be drawn, a line is printed at most this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The task under way.
struct Task {
    name: String,
    unit: String,
    total: u64,
    done: u64,
    remark: String,
    started: Instant,
    printed: Instant,
    bar: ProgressBar,
}

/// Progress drawn on standard error.
pub(crate) struct Terminal {
    task: Mutex<Option<Task>>,
    interactive: bool,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        Self { task: Mutex::new(None), interactive: std::io::stderr().is_terminal() }
    }

    fn with(&self, act: impl FnOnce(&mut Task)) {
        // A poisoned lock means that another thread panicked; the bar is the least of its worries.
        let mut task = self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(task) = task.as_mut() {
            act(task);
        }
    }
}

/// `12 of 48 records, 3.4 a second, 11 s left`, and the remark.
fn line(task: &Task) -> String {
    let elapsed = task.started.elapsed().as_secs_f64().max(1e-9);
    let rate = task.done as f64 / elapsed;
    let left =
        if rate > 0.0 { format!(", {:.0} s left", task.total.saturating_sub(task.done) as f64 / rate) } else { String::new() };
    let remark = if task.remark.is_empty() { String::new() } else { format!("; {}", task.remark) };
    format!("{}: {} of {} {}, {rate:.1} a second{left}{remark}", task.name, task.done, task.total, task.unit)
}

impl Progress for Terminal {
    fn begin(&self, task: &str, total: u64, unit: &str) {
        self.end();
        let bar = if self.interactive { ProgressBar::new(total) } else { ProgressBar::hidden() };
        let template = format!("{{prefix:>12}} [{{bar:30}}] {{pos}}/{{len}} {unit}  {{per_sec}}  {{eta}} left  {{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(task.to_string());
        let now = Instant::now();
        *self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Task {
            name: task.into(),
            unit: unit.into(),
            total,
            done: 0,
            remark: String::new(),
            started: now,
            printed: now,
            bar,
        });
    }

    fn advance(&self, steps: u64) {
        let interactive = self.interactive;
        self.with(|task| {
            task.done += steps;
            task.bar.inc(steps);
            if !interactive && task.printed.elapsed() >= LINE_EVERY {
                task.printed = Instant::now();
                eprintln!("{}", line(task));
            }
        });
    }

    fn note(&self, remark: &str) {
        self.with(|task| {
            task.remark = remark.to_string();
            task.bar.set_message(remark.to_string());
        });
    }

    fn warn(&self, warning: &str) {
        let text = format!("warning: {warning}");
        let task = self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match task.as_ref() {
            Some(task) if self.interactive => task.bar.println(text),
            _ => eprintln!("{text}"),
        }
    }

    fn end(&self) {
        if let Some(task) = self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            task.bar.finish_and_clear();
            let remark = if task.remark.is_empty() { String::new() } else { format!("; {}", task.remark) };
            eprintln!("{}: {} {} in {:.1} s{remark}", task.name, task.done, task.unit, task.started.elapsed().as_secs_f64());
        }
    }

    fn cancelled(&self) -> bool {
        interrupt::asked()
    }
}
