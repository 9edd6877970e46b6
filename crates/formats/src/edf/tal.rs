//! Time-stamped annotations lists (TAL; EDF+ specification, section 2.2.2): `+onset[␕duration]␔text␔…␀`.

use super::clock::SECOND_NS;
use super::text;

/// Between onset and duration.
const DURATION: u8 = 0x15;
/// After the times and after each text.
const END: u8 = 0x14;

/// One list: texts that share an onset and a duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tal {
    /// Onset in nanoseconds after the start time of the file.
    pub onset_ns: i64,
    /// Duration in nanoseconds, where there is one.
    pub duration_ns: Option<i64>,
    /// The texts; the first of the list that keeps a data record's time is empty.
    pub texts: Vec<String>,
}

/// What a block of an annotation signal holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// The lists, in order.
    pub lists: Vec<Tal>,
    /// How many stretches of bytes were no list.
    pub malformed: usize,
}

/// Parses the block that an annotation signal has in one data record. What is no list is counted and skipped.
pub fn parse(bytes: &[u8]) -> Block {
    let mut block = Block::default();
    for list in bytes.split(|&byte| byte == 0).filter(|list| !list.is_empty()) {
        match parse_list(list) {
            Some(list) => block.lists.push(list),
            // Some writers fill up with spaces instead of NULs.
            None if list.iter().all(|&byte| byte == b' ') => {}
            None => block.malformed += 1,
        }
    }
    block
}

fn parse_list(list: &[u8]) -> Option<Tal> {
    let mut parts = list.split(|&byte| byte == END);
    let mut times = parts.next()?.split(|&byte| byte == DURATION);
    let onset = times.next()?;
    if !matches!(onset.first(), Some(b'+' | b'-')) {
        return None;
    }
    let onset_ns = nanoseconds(onset)?;
    // `+12␕␔`: an empty duration is none.
    let duration_ns = match times.next() {
        None | Some(b"") => None,
        Some(duration) => Some(nanoseconds(duration)?),
    };
    if times.next().is_some() {
        return None;
    }
    let mut texts: Vec<String> = parts.map(text::decode_whole).collect();
    // What follows the last end mark is nothing, unless that mark is missing.
    match texts.pop() {
        None => return None,
        Some(rest) if !rest.is_empty() => texts.push(rest),
        Some(_) => {}
    }
    Some(Tal { onset_ns, duration_ns, texts })
}

/// Seconds as decimal digits, with or without sign and fraction, in nanoseconds; digits beyond the ninth are cut off.
pub(crate) fn nanoseconds(digits: &[u8]) -> Option<i64> {
    let (negative, digits) = match digits {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        digits => (false, digits),
    };
    let point = digits.iter().position(|&byte| byte == b'.').unwrap_or(digits.len());
    let (whole, fraction) = (digits.get(..point)?, digits.get(point + 1..).unwrap_or(&[]));
    if (whole.is_empty() && fraction.is_empty()) || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let mut value = 0_i64;
    for digit in whole {
        value = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
    }
    value = value.checked_mul(SECOND_NS)?;
    let mut unit = SECOND_NS;
    for digit in fraction.iter().take(9) {
        unit /= 10;
        value = value.checked_add(unit * i64::from(digit - b'0'))?;
    }
    Some(if negative { -value } else { value })
}

/// The bytes of a list. Texts lose characters that would end them.
pub(crate) fn encode(list: &Tal, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(seconds(list.onset_ns, true).as_bytes());
    if let Some(duration) = list.duration_ns {
        bytes.push(DURATION);
        bytes.extend_from_slice(seconds(duration, false).as_bytes());
    }
    bytes.push(END);
    for text in &list.texts {
        bytes.extend(text.bytes().filter(|byte| !matches!(*byte, 0 | END | DURATION)));
        bytes.push(END);
    }
    bytes.push(0);
}

/// Seconds with as few decimals as are needed.
fn seconds(nanoseconds: i64, signed: bool) -> String {
    let magnitude = nanoseconds.unsigned_abs();
    let (whole, fraction) = (magnitude / SECOND_NS as u64, magnitude % SECOND_NS as u64);
    let sign = if nanoseconds < 0 { "-" } else { ["", "+"][usize::from(signed)] };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{}", format!("{fraction:09}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_s_examples() {
        // EDF+ specification, 2.2.2 and 2.2.4.
        let block = parse(b"+180\x14Lights off\x14Close door\x14\0+180\x14Lights off\x14\0+180\x14Close door\x14\0");
        assert_eq!((block.lists.len(), block.malformed), (3, 0));
        assert_eq!(block.lists[0].texts, ["Lights off", "Close door"]);
        let block = parse(b"+567\x14\x14\0+1800.2\x1525.5\x14Apnea\x14\0\0\0");
        assert_eq!(block.lists[0], Tal { onset_ns: 567 * SECOND_NS, duration_ns: None, texts: vec![String::new()] });
        assert_eq!(
            block.lists[1],
            Tal { onset_ns: 1_800_200_000_000, duration_ns: Some(25_500_000_000), texts: vec!["Apnea".into()] }
        );
        let block = parse(b"+3456.789\x14\x14R-wave\x14\0");
        assert_eq!(block.lists[0].texts, ["", "R-wave"]);
        assert_eq!(parse(b"-0.065\x14Pre-emptive\x14\0").lists[0].onset_ns, -65_000_000);
    }

    #[test]
    fn what_is_no_list_is_counted() {
        for bytes in [
            &b"12\x14no sign\x14\0"[..],
            b"+\x14\x14\0",
            b"+1.2.3\x14\x14\0",
            b"+1",
            b"+1\x152\x153\x14\x14\0",
            b"+99999999999\x14\x14\0",
        ] {
            assert_eq!((parse(bytes).lists.len(), parse(bytes).malformed), (0, 1), "{bytes:?}");
        }
        assert_eq!(parse(b"    \0\0"), Block::default());
        // The last end mark is missing; Latin-1.
        assert_eq!(parse(b"+1\x14caf\xE9").lists[0].texts, ["café"]);
    }

    #[test]
    fn encodes_what_it_parses() {
        for list in [
            Tal { onset_ns: 0, duration_ns: None, texts: vec![String::new()] },
            Tal { onset_ns: -1_500_000_000, duration_ns: Some(1), texts: vec!["a".into(), "中文".into()] },
            Tal { onset_ns: 394_531_200, duration_ns: Some(0), texts: vec!["x".into()] },
        ] {
            let mut bytes = Vec::new();
            encode(&list, &mut bytes);
            assert_eq!(parse(&bytes).lists, [list]);
        }
    }
}
