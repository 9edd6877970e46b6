//! `fetch`: a public database into the cache folder, verified. The only command that uses the network.

mod cache;
mod catalogue;
mod download;
mod journal;
mod list;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use clap::Args;
use physiosynth_signal::{Cancelled, Progress as _};

pub(crate) use cache::{Cached, cached};
use catalogue::{Entry, catalogue};
use download::{Client, Failure};
use journal::Journal;
use list::Listed;

use crate::error::Usage;
use crate::source::ATTRIBUTION;
use crate::terminal::Terminal;
use crate::{files, interrupt};

/// Options of `fetch`.
#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// Short name of the database; without it, those known are listed.
    name: Option<String>,
    /// Folder to put it into [default: the user's cache, where `run --database NAME` finds it].
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Only files whose path in the database begins like this, such as records100/ or S001/. May be repeated.
    #[arg(long, value_name = "PATH")]
    only: Vec<String>,
    /// Files that are fetched at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    jobs: u8,
    /// Address of the database's folder on a mirror.
    #[arg(long, value_name = "URL")]
    address: Option<String>,
}

/// What is known of a database by its short name.
pub(super) fn attribution(database: &str) -> Option<&'static Entry> {
    catalogue().get(database)
}

/// Fetches a database, or lists those known.
pub(crate) fn fetch(arguments: &Fetch) -> Result<()> {
    let Some(name) = &arguments.name else { return files::print(&listing()) };
    let Some(entry) = catalogue().get(name.as_str()) else {
        let known: Vec<&str> = catalogue().keys().map(String::as_str).collect();
        return Err(Usage(format!("there is no database '{name}'; known are {}", known.join(", "))).into());
    };
    interrupt::install();
    let folder = match &arguments.output {
        Some(folder) => folder.clone(),
        None => cache::folder_of(name, &entry.version)?,
    };
    let address = arguments.address.as_deref().unwrap_or(&entry.address);
    let client = Client::new(address, download::Patience::default())?;
    let work = Work { entry, client: &client, folder: &folder, only: &arguments.only, jobs: usize::from(arguments.jobs) };
    work.fetch(&Terminal::new())?;
    files::print(&format!(
        "{} {} in {}\nlicence   {}\n{}\n",
        entry.title,
        entry.version,
        folder.display(),
        entry.licence,
        if arguments.output.is_none() && arguments.only.is_empty() {
            format!("use it    physiosynth run --database {name}")
        } else {
            format!("use it    physiosynth run --database {}", folder.display())
        }
    ))
}

/// The databases that can be fetched.
fn listing() -> String {
    let row = |(name, entry): (&String, &Entry)| {
        format!("{name:<12} {:<7} {:>9}  {:<12} {}\n", entry.version, entry.size, entry.licence_short(), entry.title)
    };
    let head = format!("{:<12} {:<7} {:>9}  {:<12} {}\n", "name", "version", "size", "licence", "database");
    let rows: String = catalogue().iter().map(row).collect();
    format!("{head}{rows}\nphysiosynth fetch NAME   fetches one; sizes are rough\n")
}

/// What to fetch, from where, and where to.
struct Work<'a> {
    entry: &'a Entry,
    client: &'a Client,
    folder: &'a Path,
    only: &'a [String],
    jobs: usize,
}

impl Work<'_> {
    /// Fetches what is not there and verified.
    fn fetch(&self, terminal: &Terminal) -> Result<()> {
        let folder = self.folder;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        files::write_atomically(&folder.join(ATTRIBUTION), self.entry.attribution_text().as_bytes())?;
        let text = self.list()?;
        let (all, sum) = (list::parse(&text)?, files::sha256_of(text.as_bytes()));
        let wanted: Vec<Listed> = all.into_iter().filter(|file| self.wants(&file.path)).collect();
        if wanted.is_empty() {
            bail!(
                "no file of {} begins with {}; --only takes the beginning of a path as in {}",
                self.entry.title,
                self.only.join(" or "),
                list::NAME
            );
        }
        let journal = Journal::open(folder)?;
        terminal.begin("fetch", wanted.len() as u64, "files");
        let (mut left, mut there) = (VecDeque::new(), 0);
        for file in wanted {
            if journal.holds(&file) {
                there += 1;
                terminal.advance(1);
            } else {
                left.push_back(file);
            }
        }
        let fetched = left.len();
        self.all(left, &journal, terminal)?;
        terminal.note(&format!("{fetched} fetched, {there} were there"));
        terminal.end();
        if self.only.is_empty() {
            cache::complete(folder, &sum)?;
        }
        Ok(())
    }

    fn wants(&self, path: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|start| path.starts_with(start.as_str()))
    }

    /// The list of checksums, which is fetched anew each time, and held against its own checksum where that is known.
    fn list(&self) -> Result<String> {
        let bytes = self.client.small(list::NAME).map_err(|failure| failure.into_error(list::NAME))?;
        let sum = files::sha256_of(&bytes);
        if let Some(known) = &self.entry.list_sha256
            && *known != sum
        {
            bail!(
                "the list of checksums at {} is not that of version {}: its SHA-256 is {sum}, not {known}; the address may be wrong, or the \
                 files may have been changed since",
                self.client.address_of(list::NAME),
                self.entry.version
            );
        }
        files::write_atomically(&self.folder.join(list::NAME), &bytes)?;
        String::from_utf8(bytes).with_context(|| format!("{} is no text", self.client.address_of(list::NAME)))
    }

    /// Fetches files in parallel. After the first that cannot be had no other is begun.
    fn all(&self, left: VecDeque<Listed>, journal: &Journal, terminal: &Terminal) -> Result<()> {
        let (left, failed) = (Mutex::new(left), Mutex::new(None));
        let bytes = AtomicU64::new(0);
        let next = || {
            let stop = interrupt::asked() || failed.lock().is_ok_and(|failed| failed.is_some());
            left.lock().ok().filter(|_| !stop).and_then(|mut left| left.pop_front())
        };
        let took = |n: u64| {
            let total = bytes.fetch_add(n, Ordering::Relaxed) + n;
            terminal.note(&format!("{:.1} MB", total as f64 / 1e6));
        };
        let work = || {
            while let Some(file) = next() {
                let result = self
                    .client
                    .file(&file, self.folder, &took)
                    .and_then(|path| journal.add(&file, &path).map_err(|error| Failure::Local(error.into())));
                match result {
                    Ok(()) => terminal.advance(1),
                    Err(failure) => {
                        if let Ok(mut failed) = failed.lock() {
                            failed.get_or_insert((file.path.clone(), failure));
                        }
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(work);
            }
        });
        match failed.into_inner() {
            Ok(Some((path, failure))) => Err(failure.into_error(&path)),
            _ if interrupt::asked() => {
                Err(anyhow::Error::from(Cancelled).context("what was fetched is kept; the same command goes on from there"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
