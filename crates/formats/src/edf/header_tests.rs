use std::path::Path;

use super::*;

/// A header of the given fields about the recording, and signals of (label, samples per record).
fn bytes(recording: &str, start: &str, reserved: &str, signals: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = format!("{:<8}{:<80}{recording:<80}{start:<16}", "0", "X X X X").into_bytes();
    bytes.extend(format!("{:<8}{reserved:<44}{:<8}{:<8}{:<4}", (signals.len() + 1) * 256, 1, 1, signals.len()).bytes());
    for (field, width) in WIDTHS.iter().enumerate() {
        for (label, samples) in signals {
            let text = [*label, "", "uV", "-100", "100", "-32768", "32767", "", *samples, ""][field];
            bytes.extend(format!("{text:<width$}").bytes());
        }
    }
    bytes
}

fn read(bytes: &[u8]) -> Result<Header, FormatError> {
    parse(Path::new("x.edf"), bytes)
}

#[test]
fn every_field_is_read() {
    let header =
        read(&bytes("Startdate 02-MAR-2002 A B C", "02.03.0216.13.05", "EDF+D", &[("C3", "5"), ("EDF Annotations", "9")]));
    let header = header.unwrap();
    assert_eq!((header.coding, header.extension), (Coding::Edf, Extension::Discontinuous));
    assert_eq!(header.start.unwrap().to_string(), "16:13:05 02/03/2002");
    assert_eq!(
        header.signals.iter().map(|s| (s.label.as_str(), s.annotations)).collect::<Vec<_>>(),
        [("C3", false), ("EDF Annotations", true)]
    );
    let Line { scale, zero, shift } = header.signals[0].scaling().unwrap();
    assert!((scale - 200.0 / 65_535.0).abs() < 1e-18 && (shift - 0.5 * scale).abs() < 1e-12 && zero == 0.0);
    let whole = SignalHeader { physical_maximum: 158.715, physical_minimum: -168.96, ..header.signals[0].clone() };
    let Line { scale, zero, shift } = whole.scaling().unwrap();
    assert!((scale - 0.005).abs() < 1e-15 && (zero, shift) == (1024.0, 0.0));
    assert_eq!(header.sampling_frequency_hz(&header.signals[0]), 5.0);
    assert!(header.problems.is_empty(), "{:?}", header.problems);
}

#[test]
fn start_dates() {
    let start = |recording, field| {
        let header = read(&bytes(recording, field, "EDF+C", &[])).unwrap();
        (header.start.map(|start| start.to_string()), header.problems.len())
    };
    assert_eq!(start("Startdate X X X X", "01.01.8501.02.03"), (Some("01:02:03".into()), 0));
    assert_eq!(start("Startdate 01-JAN-1985 X X X", "01.01.8501.02.03"), (Some("01:02:03 01/01/1985".into()), 0));
    assert_eq!(start("Startdate 02-MAR-2102 X X X", "02.03.yy01.02.03"), (Some("01:02:03 02/03/2102".into()), 0));
    assert_eq!(start("Startdate 02-MAR-1984 X X X", "02.03.8401.02.03"), (Some("01:02:03 02/03/1984".into()), 0));
    assert_eq!(start("Startdate 03-MAR-2002 X X X", "02.03.0201.02.03"), (Some("01:02:03 02/03/2002".into()), 1));
    assert_eq!(start("whatever", "31.12.8401:02:03"), (Some("01:02:03 31/12/2084".into()), 0));
    assert_eq!(start("", "00.00.0025.00.00"), (None, 2));
}

#[test]
fn broken_headers_are_refused_with_the_place() {
    let good = bytes("", "02.03.0216.13.05", "", &[("C3", "5")]);
    for (at, text, cause) in [
        (0, "1", "neither as EDF"),
        (236, "many    ", "'many' is no number of data records"),
        (244, "nan     ", "'nan' is no duration"),
        (244, "-1      ", "'-1' is no duration"),
        (252, "-1  ", "'-1' is no number of signals"),
        (252, "9999", "2560000 are needed"),
        (360, "inf     ", "byte 360: 'inf' is no physical minimum"),
        (376, "1.5     ", "byte 376: '1.5' is no digital minimum"),
        (472, "-3      ", "byte 472: '-3' is no number of samples"),
    ] {
        let mut broken = good.clone();
        broken[at..at + text.len()].copy_from_slice(text.as_bytes());
        let message = read(&broken).unwrap_err().to_string();
        assert!(message.contains(cause), "{message}");
    }
    assert!(read(&good[..300]).unwrap_err().to_string().contains("512 are needed"));
}
