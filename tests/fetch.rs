//! `fetch` through the binary, from a server on this machine, and a run on what it fetched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::support::{call, finish, physiosynth};

/// Serves the files of a folder, and their list of checksums, under `/db/`; gives the address.
fn serve(folder: &std::path::Path) -> String {
    let mut files = BTreeMap::new();
    let mut list = String::new();
    for entry in fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let (name, bytes) = (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
        for byte in Sha256::digest(&bytes) {
            write!(list, "{byte:02x}").unwrap();
        }
        writeln!(list, " {name}").unwrap();
        files.insert(format!("/db/{name}"), bytes);
    }
    files.insert("/db/SHA256SUMS.txt".into(), list.into_bytes());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/db/", listener.local_addr().unwrap());
    let files = Arc::new(files);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let files = Arc::clone(&files);
            std::thread::spawn(move || drop(answer(&stream, &files)));
        }
    });
    address
}

fn answer(stream: &TcpStream, files: &BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next().unwrap()?.split(' ').nth(1).unwrap().to_owned();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let (status, body) = files.get(&path).map_or(("404 Not Found", &[][..]), |bytes| ("200 OK", bytes));
    let mut out = stream;
    write!(out, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    out.write_all(body)
}

#[test]
fn a_fetched_database_is_found_by_its_name_and_its_attribution_is_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let (source, cache) = (folder.path().join("source"), folder.path().join("cache"));
    let set = ["--set", "simulator.subjects=6", "--set", "simulator.duration_s=40"];
    let (code, _, err) = call(&[&["simulate", "--output", source.to_str().unwrap()], &set[..]].concat());
    assert_eq!(code, 0, "{err}");
    let address = serve(&source);
    let with_cache = |words: &[&str]| finish(physiosynth(words).env("PHYSIOSYNTH_CACHE", &cache));

    let (code, _, err) = with_cache(&["preprocess", "--database", "svdb", "--output", folder.path().join("r").to_str().unwrap()]);
    assert!(code == 1 && err.contains("physiosynth fetch svdb"), "{err}");
    let (code, out, err) = with_cache(&["fetch", "svdb", "--address", &address]);
    assert!(code == 0 && out.contains("ODC-BY") && out.contains("--database svdb"), "{out}{err}");
    let there = cache.join("databases/svdb-1.0.0");
    assert_eq!(fs::read(there.join("sim03.dat")).unwrap(), fs::read(source.join("sim03.dat")).unwrap());
    let (code, _, err) = with_cache(&["fetch", "svdb", "--address", &address]);
    assert!(code == 0 && err.contains("0 fetched, 19 were there"), "{err}");

    let run = folder.path().join("run");
    let mut tiny = crate::support::tiny(&run, &["--database", "svdb"]);
    let (code, out, err) = finish(tiny.env("PHYSIOSYNTH_CACHE", &cache));
    assert_eq!(code, 0, "{out}{err}");
    let attribution = fs::read_to_string(run.join("share/ATTRIBUTION.txt")).unwrap();
    assert!(attribution.contains("Supraventricular") && attribution.contains("ODC-BY"), "{attribution}");
}

#[test]
fn databases_are_listed_and_unknown_ones_refused() {
    let (code, out, _) = call(&["fetch"]);
    assert!(code == 0 && ["mitdb", "ptb-xl", "chbmit"].iter().all(|name| out.contains(name)), "{out}");
    let (code, _, err) = call(&["fetch", "mitbd"]);
    assert!(code == 2 && err.contains("mitdb"), "{err}");
}
