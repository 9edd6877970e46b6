//! Against a server on this machine that stalls, cuts off, lies about lengths, ignores ranges and sends wrong bytes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::commands::fetch::download::Patience;

/// What the server does with the nth request (from 0) for a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    Good,
    /// Sends half of what is asked for and then nothing, with the connection open.
    Stalls,
    /// Sends half of what is asked for and closes.
    CutsOff,
    /// Announces more than there is.
    AnnouncesMore,
    /// Announces less than there is.
    AnnouncesLess,
    /// Sends the whole file whatever part is asked for.
    IgnoresRanges,
    /// The same, and closes in the middle.
    IgnoresRangesAndCutsOff,
    /// Sends another part than is asked for.
    SendsAnotherPart,
    /// One byte is another.
    WrongByte,
    /// Answers with this status.
    Status(u16),
}

/// Requests as they came: path, and first byte asked for.
type Log = Arc<Mutex<Vec<(String, u64)>>>;

struct Server {
    address: String,
    log: Log,
}

impl Server {
    /// Serves files, each with manners for its first requests; the last goes for all that follow.
    fn start(files: &[(&str, Vec<u8>, &[Manner])]) -> Self {
        let files: BTreeMap<String, (Vec<u8>, Vec<Manner>)> =
            files.iter().map(|(path, bytes, manners)| (format!("/db/{path}"), (bytes.clone(), manners.to_vec()))).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/db", listener.local_addr().unwrap());
        let log = Log::default();
        let (files, shared) = (Arc::new(files), Arc::clone(&log));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, log) = (Arc::clone(&files), Arc::clone(&shared));
                // A client that went away is no fault of the server's.
                std::thread::spawn(move || drop(answer(&stream, &files, &log)));
            }
        });
        Self { address, log }
    }

    fn client(&self) -> Client {
        let patience = Patience { wait: Duration::from_millis(150), pause: Duration::from_millis(1), attempts: 4 };
        Client::new(&self.address, patience).unwrap()
    }

    /// First bytes that were asked for of a file.
    fn asked(&self, path: &str) -> Vec<u64> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(asked, _)| asked.ends_with(path)).map(|(_, from)| *from).collect()
    }
}

fn answer(stream: &TcpStream, files: &BTreeMap<String, (Vec<u8>, Vec<Manner>)>, log: &Log) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap()?;
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let mut from = 0;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let before = {
        let mut log = log.lock().unwrap();
        log.push((path.clone(), from));
        log.iter().filter(|(other, _)| *other == path).count() - 1
    };
    let mut out = stream;
    let Some((bytes, manners)) = files.get(&path) else {
        return write!(out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let manner = *manners.get(before).or(manners.last()).unwrap();
    if let Manner::Status(status) = manner {
        return write!(out, "HTTP/1.1 {status} Other\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let ignores = matches!(manner, Manner::IgnoresRanges | Manner::IgnoresRangesAndCutsOff);
    let at = if ignores { 0 } else { from as usize };
    if at >= bytes.len() && at > 0 {
        return write!(out, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let mut body = bytes[at..].to_vec();
    let announced = match manner {
        Manner::AnnouncesMore => body.len() + 100,
        Manner::AnnouncesLess => body.len() - 10,
        _ => body.len(),
    };
    if manner == Manner::WrongByte {
        body[0] ^= 1;
    }
    let status = if at > 0 { "206 Partial Content" } else { "200 OK" };
    write!(out, "HTTP/1.1 {status}\r\nContent-Length: {announced}\r\nConnection: close\r\n")?;
    if at > 0 {
        let said = if manner == Manner::SendsAnotherPart { at - 1 } else { at };
        write!(out, "Content-Range: bytes {said}-{}/{}\r\n", bytes.len() - 1, bytes.len())?;
    }
    write!(out, "\r\n")?;
    match manner {
        Manner::Stalls => {
            out.write_all(&body[..body.len() / 2])?;
            std::thread::sleep(Duration::from_secs(2));
            Ok(())
        }
        Manner::CutsOff | Manner::IgnoresRangesAndCutsOff | Manner::SendsAnotherPart => out.write_all(&body[..body.len() / 2]),
        _ => out.write_all(&body),
    }
}

fn content(seed: u8) -> Vec<u8> {
    (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 ^ seed).collect()
}

/// Fetches one file that is served in these manners: the result, and the first bytes asked for.
fn fetched(manners: &[Manner]) -> (Result<(), String>, Vec<u64>) {
    let bytes = content(7);
    let server = Server::start(&[("a.dat", bytes.clone(), manners)]);
    let folder = tempfile::tempdir().unwrap();
    let file = Listed { path: "a.dat".into(), sha256: files::sha256_of(&bytes) };
    let result = server.client().file(&file, folder.path(), &|_| {});
    let there = std::fs::read(folder.path().join("a.dat")).ok();
    assert_eq!(result.is_ok(), there.is_some(), "a file has its name where it is whole, and only there: {result:?}");
    assert!(there.is_none_or(|there| there == bytes), "{manners:?}");
    (result.map(drop).map_err(|failure| failure.into_error("a.dat").to_string()), server.asked("a.dat"))
}

#[test]
fn what_stalls_or_is_cut_off_is_resumed_where_it_stopped() {
    use Manner::{CutsOff, Good, Stalls};
    assert_eq!(fetched(&[Good]), (Ok(()), vec![0]));
    let (result, asked) = fetched(&[CutsOff, CutsOff, Good]);
    assert_eq!((result, &asked[..]), (Ok(()), &[0, 150_000, 225_000][..]));
    let (result, asked) = fetched(&[Stalls, Good]);
    assert_eq!((result, asked.len()), (Ok(()), 2));
    assert!(asked[1] > 0, "{asked:?}");
}

#[test]
fn lengths_that_are_lies_are_found_out() {
    use Manner::{AnnouncesLess, AnnouncesMore, Good};
    assert_eq!(fetched(&[AnnouncesMore]).0, Ok(()));
    assert_eq!(fetched(&[AnnouncesLess, Good]).0, Ok(()));
    let (result, asked) = fetched(&[AnnouncesLess]);
    assert!(result.unwrap_err().contains("SHA-256"));
    assert_eq!(asked, [0, 0, 0]);
}

#[test]
fn servers_that_do_not_know_ranges_start_anew() {
    use Manner::{CutsOff, Good, IgnoresRanges, IgnoresRangesAndCutsOff, SendsAnotherPart};
    assert_eq!(fetched(&[CutsOff, IgnoresRanges]), (Ok(()), vec![0, 150_000]));
    let (result, asked) = fetched(&[IgnoresRangesAndCutsOff]);
    assert!(result.unwrap_err().contains("attempts"), "{asked:?}");
    assert_eq!(asked.len(), 5);
    assert_eq!(fetched(&[CutsOff, SendsAnotherPart, Good]), (Ok(()), vec![0, 150_000, 0]));
}

#[test]
fn a_wrong_byte_is_fetched_anew_and_never_kept() {
    use Manner::{Good, WrongByte};
    assert_eq!(fetched(&[WrongByte, Good]), (Ok(()), vec![0, 0]));
    let (result, asked) = fetched(&[WrongByte]);
    let error = result.unwrap_err();
    assert!(error.contains("SHA-256") && error.contains("list of checksums"), "{error}");
    assert_eq!(asked, [0, 0, 0]);
}

#[test]
fn statuses() {
    use Manner::{Good, Status};
    assert_eq!(fetched(&[Status(503), Status(429), Good]), (Ok(()), vec![0, 0, 0]));
    let (result, asked) = fetched(&[Status(503)]);
    assert!(result.unwrap_err().contains("503"));
    assert_eq!(asked.len(), 4);
    for (status, word) in [(404, "withdrawn"), (403, "account")] {
        let (result, asked) = fetched(&[Status(status)]);
        let error = result.unwrap_err();
        assert!(error.contains(word) && error.contains("a.dat"), "{error}");
        assert_eq!(asked.len(), 1, "{status} is final");
    }
}

#[test]
fn a_database_is_fetched_once_and_checked_by_its_list() {
    let (a, b) = (content(1), content(2));
    let list = format!("{}  a.dat\n{}  sub/b c.dat\n", files::sha256_of(&a), files::sha256_of(&b));
    let manners: &[Manner] = &[Manner::CutsOff, Manner::Good];
    let server = Server::start(&[
        (list::NAME, list.clone().into_bytes(), &[Manner::Good]),
        ("a.dat", a.clone(), manners),
        ("sub/b%20c.dat", b.clone(), manners),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let entry = catalogue().get("svdb").unwrap();
    let client = server.client();
    let work =
        |entry, only: &[String]| Work { entry, client: &client, folder: folder.path(), only, jobs: 3 }.fetch(&Terminal::new());
    work(entry, &["a".into()]).unwrap();
    assert!(folder.path().join("a.dat").exists() && !folder.path().join("sub").exists());
    assert!(!folder.path().join(".complete").exists(), "a part is not the whole");
    work(entry, &[]).unwrap();
    assert_eq!(std::fs::read(folder.path().join("sub/b c.dat")).unwrap(), b);
    assert!(folder.path().join(".complete").exists() && folder.path().join(ATTRIBUTION).exists());
    let asked = || (server.asked("a.dat").len(), server.asked("c.dat").len());
    let before = asked();
    work(entry, &[]).unwrap();
    assert_eq!(asked(), before, "what was verified is not fetched again");
    // One that was changed since is.
    std::fs::write(folder.path().join("a.dat"), b"changed").unwrap();
    work(entry, &[]).unwrap();
    assert_eq!(std::fs::read(folder.path().join("a.dat")).unwrap(), a);
    assert!(work(entry, &["nothing".into()]).unwrap_err().to_string().contains("--only"));

    // A list that is not the one known.
    let known = Entry { list_sha256: Some("0".repeat(64)), ..entry.clone() };
    let error = work(&known, &[]).unwrap_err().to_string();
    assert!(error.contains(&files::sha256_of(list.as_bytes())) && error.contains("list of checksums"), "{error}");
}

#[test]
fn addresses() {
    assert!(Client::new("ftp://x", Patience::default()).is_err());
    let client = Client::new("https://x/db/1.0", Patience::default()).unwrap();
    assert_eq!(client.address_of("S 1/ä+.edf"), "https://x/db/1.0/S%201/%C3%A4%2B.edf");
}
