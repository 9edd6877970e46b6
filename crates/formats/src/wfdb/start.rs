//! Start times of records as headers write them: `HH:MM:SS.sss`, or `MM:SS`, with or without `DD/MM/YYYY`.

use std::fmt::Write as _;

/// A start time some seconds later, in the same form; what is no time of day is left as it is only where none passes.
pub(crate) fn later(stated: String, seconds: f64) -> Option<String> {
    if seconds == 0.0 {
        return Some(stated);
    }
    let mut fields = stated.split(' ').filter(|field| !field.is_empty());
    let total = time(fields.next()?)? + (seconds * 1000.0).round() as i64;
    let (days, of_day) = (total.div_euclid(86_400_000), total.rem_euclid(86_400_000));
    let (hours, minutes, rest) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day % 60_000);
    let mut text = format!("{hours:02}:{minutes:02}:{:02}", rest / 1000);
    if rest % 1000 > 0 {
        text.push_str(format!(".{:03}", rest % 1000).trim_end_matches('0'));
    }
    if let Some(date) = fields.next() {
        let (day, month, year) = civil(day_number(date)? + days);
        // Writing to a string cannot fail.
        let _ = write!(text, " {day:02}/{month:02}/{year:04}");
    }
    Some(text)
}

/// Milliseconds since midnight.
fn time(text: &str) -> Option<i64> {
    let mut seconds = 0.0;
    for field in text.split(':') {
        let value: f64 = field.parse().ok().filter(|value: &f64| (0.0..1e6).contains(value))?;
        seconds = seconds * 60.0 + value;
    }
    Some((seconds * 1000.0).round() as i64)
}

/// Days since 1 March of year 0, in the Gregorian calendar carried back.
fn day_number(date: &str) -> Option<i64> {
    let fields: Vec<i64> =
        date.split('/').map(|field| field.parse().ok().filter(|value| (0..100_000).contains(value))).collect::<Option<_>>()?;
    let [day, month, year] = fields[..] else { return None };
    let valid = (1..=31).contains(&day) && (1..=12).contains(&month);
    // Years begin in March, so that a leap day ends one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (century, of_century) = (year.div_euclid(100), year.rem_euclid(100));
    valid.then(|| century * 146_097 / 4 + of_century * 1461 / 4 + (153 * month + 2) / 5 + day - 1)
}

/// Day, month and year of a day's number: the largest year, then the largest month, that begin no later.
fn civil(number: i64) -> (i64, i64, i64) {
    let estimate = number.div_euclid(366);
    let first_of = |year: i64| year.div_euclid(100) * 146_097 / 4 + year.rem_euclid(100) * 1461 / 4;
    // Years are shorter than 366 days by one part in 483.
    let latest = estimate + estimate / 400 + 2;
    let year = (estimate..=latest).take_while(|&year| first_of(year) <= number).last().unwrap_or(estimate);
    let rest = number - first_of(year);
    let month = (5 * rest + 2) / 153;
    let day = rest - (153 * month + 2) / 5 + 1;
    if month < 10 { (day, month + 3, year) } else { (day, month - 9, year + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifted(text: &str, seconds: f64) -> Option<String> {
        later(text.to_owned(), seconds)
    }

    #[test]
    fn nothing_passes() {
        assert_eq!(shifted("31:51.982", 0.0).as_deref(), Some("31:51.982"));
        assert_eq!(shifted("whenever", 0.0).as_deref(), Some("whenever"));
        assert_eq!(shifted("whenever", 1.0), None);
    }

    #[test]
    fn times_pass_midnight_months_and_leap_days() {
        assert_eq!(shifted("31:51.982", 8.018).as_deref(), Some("00:32:00"));
        assert_eq!(shifted("23:59:59.5", 1.25).as_deref(), Some("00:00:00.75"));
        assert_eq!(shifted("23:00:00 28/02/2024", 7200.0).as_deref(), Some("01:00:00 29/02/2024"));
        assert_eq!(shifted("23:00:00 28/02/2023", 7200.0).as_deref(), Some("01:00:00 01/03/2023"));
        assert_eq!(shifted("23:00:00 31/12/1999", 7200.0).as_deref(), Some("01:00:00 01/01/2000"));
        assert_eq!(shifted("0:00 01/01/2001", 86_400.0 * 365.0).as_deref(), Some("00:00:00 01/01/2002"));
    }

    #[test]
    fn every_day_of_four_centuries_has_its_own_number() {
        let mut number = day_number("01/01/1900").unwrap();
        for _ in 0..146_097 {
            let (day, month, year) = civil(number);
            assert_eq!(day_number(&format!("{day:02}/{month:02}/{year:04}")), Some(number));
            number += 1;
        }
        assert_eq!(civil(number), (1, 1, 2300));
    }
}
