//! One file over HTTP: into `NAME.part`, resumed by range, held against its checksum, and only then given its name.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use super::list::Listed;
use crate::error::Usage;
use crate::{files, interrupt};

/// Largest list of checksums.
const LARGEST_LIST: u64 = 1 << 26;
/// Largest file: more than any of these databases has in one.
const LARGEST_FILE: u64 = 1 << 36;
/// How often a file whose checksum is wrong is fetched anew.
const FETCHED_ANEW: u32 = 2;
/// Longest pause that a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How long to wait, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a connection, an answer, or the next bytes.
    pub(super) wait: Duration,
    /// Before the second attempt; doubled before each that follows.
    pub(super) pause: Duration,
    /// Attempts that bring nothing.
    pub(super) attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { wait: Duration::from_secs(30), pause: Duration::from_secs(1), attempts: 6 }
    }
}

/// Why a file could not be had.
#[derive(Debug)]
pub(super) enum Failure {
    /// Trying again may help.
    Passing { cause: String, pause: Option<Duration> },
    /// It will not.
    Final(String),
    /// On this machine.
    Local(anyhow::Error),
    /// The user asked to stop.
    Stopped,
}

impl Failure {
    fn passing(cause: String) -> Self {
        Self::Passing { cause, pause: None }
    }

    /// As an error about a file.
    pub(super) fn into_error(self, path: &str) -> anyhow::Error {
        match self {
            Self::Passing { cause, .. } => {
                anyhow!("{path} could not be fetched: {cause}; what was fetched is kept, and the same command goes on from there")
            }
            Self::Final(cause) => anyhow!("{path} could not be fetched: {cause}"),
            Self::Local(error) => error.context(format!("{path} could not be kept")),
            Self::Stopped => anyhow::Error::from(physiosynth_signal::Cancelled),
        }
    }
}

/// A folder on a server.
pub(super) struct Client {
    agent: Agent,
    base: String,
    patience: Patience,
}

impl Client {
    pub(super) fn new(address: &str, patience: Patience) -> Result<Self> {
        let secure = address.starts_with("https://");
        if !secure && !address.starts_with("http://") {
            return Err(Usage(format!("'{address}' is no address: it begins with https:// or http://")).into());
        }
        let config = Agent::config_builder()
            .https_only(secure)
            .http_status_as_error(false)
            .user_agent(concat!("physiosynth/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(patience.wait))
            .timeout_recv_response(Some(patience.wait))
            .timeout_per_read(Some(patience.wait));
        let base = if address.ends_with('/') { address.to_owned() } else { format!("{address}/") };
        Ok(Self { agent: config.build().new_agent(), base, patience })
    }

    /// The address of a file.
    pub(super) fn address_of(&self, path: &str) -> String {
        let mut address = self.base.clone();
        for byte in path.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => address.push(char::from(byte)),
                other => {
                    // Writing to a string cannot fail.
                    let _ = write!(address, "%{other:02X}");
                }
            }
        }
        address
    }

    /// The content of a small file.
    pub(super) fn small(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.patiently(|| {
            let mut response = self.get(path, 0)?;
            let read = response.body_mut().with_config().limit(LARGEST_LIST).read_to_vec();
            read.map_err(|error| Failure::passing(said(&error)))
        })
    }

    /// Fetches a file into a folder; gives its path there. `took` hears of bytes as they come.
    pub(super) fn file(&self, file: &Listed, folder: &Path, took: &dyn Fn(u64)) -> Result<PathBuf, Failure> {
        let path = folder.join(&file.path);
        let local = |error: std::io::Error| Failure::Local(anyhow::Error::from(error).context(path.display().to_string()));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(local)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".part");
        let part = path.with_file_name(name);
        for fetched in 0.. {
            self.whole(&file.path, &part, took)?;
            let sum = files::sha256(&part).map_err(Failure::Local)?;
            if sum == file.sha256 {
                break;
            }
            std::fs::remove_file(&part).map_err(local)?;
            if fetched == FETCHED_ANEW {
                return Err(Failure::Final(format!(
                    "its SHA-256 is {sum}, and {} in the list of checksums, {} times in a row: the server has another file there, or \
                     something on the way changes it",
                    file.sha256,
                    FETCHED_ANEW + 1
                )));
            }
        }
        std::fs::rename(&part, &path).map_err(local)?;
        Ok(path)
    }

    /// Fetches what is missing of a file, until the server says that it is whole.
    fn whole(&self, path: &str, part: &Path, took: &dyn Fn(u64)) -> Result<(), Failure> {
        let held = || std::fs::metadata(part).map_or(0, |facts| facts.len());
        loop {
            let before = held();
            // An attempt that brings something does not count.
            let result = self.patiently(|| match self.append(path, part, took) {
                Err(Failure::Passing { .. }) if held() > before => Ok(false),
                result => result.map(|()| true),
            })?;
            if result {
                return Ok(());
            }
        }
    }

    /// One attempt: asks for what is missing and appends it.
    fn append(&self, path: &str, part: &Path, took: &dyn Fn(u64)) -> Result<(), Failure> {
        let local = |error: std::io::Error| Failure::Local(anyhow::Error::from(error).context(part.display().to_string()));
        let held = std::fs::metadata(part).map_or(0, |facts| facts.len());
        let mut response = self.get(path, held)?;
        let resumed = response.status() == StatusCode::PARTIAL_CONTENT;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // Nothing follows what is there; whether it is the file is for its checksum to say.
            return Ok(());
        }
        if resumed && held > 0 && begins_at(&response) != Some(held) {
            // Another part than was asked for: from the beginning next time.
            File::create(part).map_err(local)?;
            return Err(Failure::passing("the server sent another part than was asked for".into()));
        }
        let expected = response.body().content_length();
        // A server that ignores ranges sends the file from its beginning.
        let mut options = OpenOptions::new();
        let mut file = options.create(true).append(resumed).write(true).truncate(!resumed).open(part).map_err(local)?;
        let mut reader = response.body_mut().with_config().limit(LARGEST_FILE).reader();
        let (mut buffer, mut total) = (vec![0; 1 << 17], 0_u64);
        loop {
            if interrupt::asked() {
                return Err(Failure::Stopped);
            }
            let n = reader.read(&mut buffer).map_err(|error| Failure::passing(error.to_string()))?;
            if n == 0 {
                break;
            }
            file.write_all(buffer.get(..n).unwrap_or(&[])).map_err(local)?;
            total += n as u64;
            took(n as u64);
        }
        file.sync_all().map_err(local)?;
        match expected.filter(|&expected| expected != total) {
            Some(expected) => Err(Failure::passing(format!("the server announced {expected} bytes and sent {total}"))),
            None => Ok(()),
        }
    }

    /// Asks for a file from this byte on; an answer that holds none is a failure.
    fn get(&self, path: &str, from: u64) -> Result<Response<Body>, Failure> {
        let mut request = self.agent.get(self.address_of(path));
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let response = request.call().map_err(|error| Failure::passing(said(&error)))?;
        let status = response.status();
        let resumable = from > 0 && (status == StatusCode::PARTIAL_CONTENT || status == StatusCode::RANGE_NOT_SATISFIABLE);
        if status == StatusCode::OK || resumable {
            return Ok(response);
        }
        let cause = format!("{} answered {status}", self.address_of(path));
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT {
            let after = response.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.trim().parse().ok());
            return Err(Failure::Passing { cause, pause: after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE)) });
        }
        let advice = match status.as_u16() {
            401 | 403 => "; the database may ask for an account: fetch it in a browser and name its folder",
            404 | 410 => "; the version may have been withdrawn, or the address changed: --address names another",
            _ => "",
        };
        Err(Failure::Final(format!("{cause}{advice}")))
    }

    /// Attempts until one does not fail in passing, with longer and longer pauses.
    fn patiently<T>(&self, attempt: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
        let mut pause = self.patience.pause;
        for tried in 1.. {
            match attempt() {
                Err(Failure::Passing { cause, pause: asked }) => {
                    if tried >= self.patience.attempts {
                        return Err(Failure::passing(format!("{cause} ({tried} attempts)")));
                    }
                    rest(asked.unwrap_or(pause))?;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                result => return result,
            }
        }
        Err(Failure::Stopped)
    }
}

/// Sleeps, unless the user asks to stop.
fn rest(pause: Duration) -> Result<(), Failure> {
    let slice = Duration::from_millis(100);
    let mut left = pause;
    while !left.is_zero() {
        if interrupt::asked() {
            return Err(Failure::Stopped);
        }
        let now = left.min(slice);
        std::thread::sleep(now);
        left -= now;
    }
    Ok(())
}

/// First byte of the part that an answer holds: `bytes 100-199/200`.
fn begins_at(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get("Content-Range")?.to_str().ok()?;
    range.trim().strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// An error in words that say what to do.
fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "the server's name is not known: is this machine connected?".into(),
        ureq::Error::ConnectionFailed => "no connection to the server".into(),
        other => other.to_string(),
    }
}
