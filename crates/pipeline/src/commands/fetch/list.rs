//! The list of checksums that a database comes with, in the form of `sha256sum`.

use std::path::{Component, Path};

use anyhow::{Result, bail};

/// Its name in the database's folder.
pub(super) const NAME: &str = "SHA256SUMS.txt";

/// A file of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Path within the database, with `/` between folders.
    pub(super) path: String,
    /// In lower case.
    pub(super) sha256: String,
}

/// The files of a list. A path that leads out of the folder is an error.
pub(super) fn parse(text: &str) -> Result<Vec<Listed>> {
    let mut files = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let Some((sum, path)) = line.split_once([' ', '\t']) else { bail!("{NAME}, line {number}: it is no checksum and path") };
        // Two characters stand between them, the second a blank or a star.
        let path = path.strip_prefix([' ', '*']).unwrap_or(path).trim_end();
        if sum.len() != 64 || !sum.bytes().all(|c| c.is_ascii_hexdigit()) {
            bail!("{NAME}, line {number}: '{sum}' is no SHA-256");
        }
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if path.is_empty() || !inside || path.contains(['\\', '\0', ':']) {
            bail!("{NAME}, line {number}: '{path}' is no path within the database; nothing is fetched");
        }
        if path != NAME {
            files.push(Listed { path: path.to_owned(), sha256: sum.to_ascii_lowercase() });
        }
    }
    if files.is_empty() {
        bail!("{NAME} lists no file");
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_the_forms_that_there_are() {
        let sum = "8d8a5349fb16638ebbf649f1779d12e96d91b736b2aafe59db43719ae583d471";
        let text = format!("{sum} 100.atr\n{}  sub/a b.dat\r\n\n{sum} *c.bin\n{sum} {NAME}\n", sum.to_uppercase());
        let files = parse(&text).unwrap();
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["100.atr", "sub/a b.dat", "c.bin"]);
        assert!(files.iter().all(|file| file.sha256 == sum));
    }

    #[test]
    fn what_leads_elsewhere_or_is_no_checksum_is_refused() {
        let sum = "8d8a5349fb16638ebbf649f1779d12e96d91b736b2aafe59db43719ae583d471";
        for line in ["../x", "/etc/x", "a/../../x", "c:\\x", "", "./x"] {
            assert!(parse(&format!("{sum} {line}")).is_err(), "{line}");
        }
        for text in ["", "<html>", "abc x", sum] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
