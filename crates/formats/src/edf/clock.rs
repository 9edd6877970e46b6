//! When a recording started: calendar date, time of day, fractions of a second.

use std::fmt;
use std::str::FromStr;

/// Nanoseconds in a second.
pub(crate) const SECOND_NS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// A day of the (proleptic) Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Year, four digits.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

/// Start of a recording, to the nanosecond. Printed and parsed as the base time of WFDB headers is written:
/// `13:21:46.5 01/08/2013` (day first), without the date where it is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartTime {
    /// The date, where it is known.
    pub date: Option<Date>,
    /// Second of the day, below 86,400.
    pub second_of_day: u32,
    /// Nanosecond of the second, below 10⁹.
    pub nanosecond: u32,
}

impl Date {
    /// The day, where there is such a one.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let date = Self { year, month, day };
        let valid = (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        (valid && Self::from_days(date.days()) == date).then_some(date)
    }

    /// Days since 1 March of the year 0, counted so that leap days come last (Richards, *Explanatory Supplement to the
    /// Astronomical Almanac*, 2013, 15.11).
    fn days(self) -> i64 {
        let (month, year) = (i64::from(self.month), i64::from(self.year));
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        365 * year + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (153 * month + 2) / 5
            + i64::from(self.day)
            - 1
    }

    fn from_days(days: i64) -> Self {
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Self { year: (era * 400 + year_of_era + carry) as i32, month: month as u8, day: day as u8 }
    }

    /// As recording fields write it: `02-MAR-2002`.
    pub(crate) fn dashed(self) -> String {
        let month = MONTHS.get(usize::from(self.month).saturating_sub(1)).unwrap_or(&"JAN");
        format!("{:02}-{month}-{:04}", self.day, self.year)
    }

    /// From `02-MAR-2002`; months in any case.
    pub(crate) fn from_dashed(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
        Self::new(year.parse().ok().filter(|_| year.len() == 4)?, month as u8 + 1, day.parse().ok()?)
    }
}

/// Three numbers of at most two digits, separated as files do it: `24.04.89`, `24/04/89`, `16:13:00`.
pub(crate) fn three_numbers(text: &str) -> Option<[u8; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split(['.', ':', '/', '-']);
    for number in &mut numbers {
        *number = parts.next()?.trim().parse().ok().filter(|&n: &u8| n < 100)?;
    }
    parts.next().is_none().then_some(numbers)
}

impl StartTime {
    /// From hours, minutes and seconds of the day.
    pub fn new(date: Option<Date>, [hour, minute, second]: [u8; 3]) -> Option<Self> {
        let second_of_day = u32::from(hour) * 3_600 + u32::from(minute) * 60 + u32::from(second);
        (hour < 24 && minute < 60 && second < 60).then_some(Self { date, second_of_day, nanosecond: 0 })
    }

    /// Hours, minutes and seconds of the day.
    pub fn hms(&self) -> [u32; 3] {
        [self.second_of_day / 3_600, self.second_of_day / 60 % 60, self.second_of_day % 60]
    }

    /// The time `nanoseconds` later (earlier where negative).
    #[must_use]
    pub fn plus(&self, nanoseconds: i64) -> Self {
        let nanoseconds = i64::from(self.nanosecond).saturating_add(nanoseconds);
        let seconds = i64::from(self.second_of_day) + nanoseconds.div_euclid(SECOND_NS);
        Self {
            date: self.date.map(|date| Date::from_days(date.days() + seconds.div_euclid(DAY_S))),
            second_of_day: seconds.rem_euclid(DAY_S) as u32,
            nanosecond: nanoseconds.rem_euclid(SECOND_NS) as u32,
        }
    }
}

impl fmt::Display for StartTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [hour, minute, second] = self.hms();
        write!(f, "{hour:02}:{minute:02}:{second:02}")?;
        if self.nanosecond > 0 {
            write!(f, ".{}", format!("{:09}", self.nanosecond).trim_end_matches('0'))?;
        }
        match self.date {
            Some(Date { year, month, day }) => write!(f, " {day:02}/{month:02}/{year:04}"),
            None => Ok(()),
        }
    }
}

/// A text that is no time of day, with or without a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not of the form HH:MM:SS or HH:MM:SS DD/MM/YYYY")]
pub struct NoStartTime;

impl FromStr for StartTime {
    type Err = NoStartTime;

    fn from_str(text: &str) -> Result<Self, NoStartTime> {
        let mut words = text.split_whitespace();
        let time = words.next().ok_or(NoStartTime)?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
        // `MM:SS` in WFDB headers.
        let padded = if time.split(':').count() == 2 { format!("0:{time}") } else { time.to_owned() };
        if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoStartTime);
        }
        let date = match words.next() {
            None => None,
            Some(date) => {
                let (day_month, year) = date.rsplit_once('/').ok_or(NoStartTime)?;
                let (day, month) = day_month.split_once('/').ok_or(NoStartTime)?;
                let number = |text: &str| text.parse().map_err(|_| NoStartTime);
                let year = year.parse().map_err(|_| NoStartTime)?;
                Some(Date::new(year, number(month)?, number(day)?).ok_or(NoStartTime)?)
            }
        };
        let mut start = three_numbers(&padded).and_then(|hms| Self::new(date, hms)).ok_or(NoStartTime)?;
        start.nanosecond = format!("{fraction:0<9}").parse().map_err(|_| NoStartTime)?;
        if words.next().is_some() { Err(NoStartTime) } else { Ok(start) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_parses() {
        for text in ["13:21:46 01/08/2013", "00:00:00", "04:05:56.3945312 24/01/2020"] {
            assert_eq!(text.parse::<StartTime>().unwrap().to_string(), text);
        }
        assert_eq!("5:07".parse::<StartTime>().unwrap().to_string(), "00:05:07");
        for text in ["", "25:00:00", "12:00:00 31/02/2001", "12:00:00 1/2", "1994-08-15T17:27:45", "12:00:00 01/01/2001 x"] {
            assert!(text.parse::<StartTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn time_carries_into_the_date() {
        let start: StartTime = "23:59:59.5 28/02/2024".parse().unwrap();
        assert_eq!(start.plus(SECOND_NS / 2).to_string(), "00:00:00 29/02/2024");
        assert_eq!(start.plus(2 * DAY_S * SECOND_NS).to_string(), "23:59:59.5 01/03/2024");
        assert_eq!(start.plus(-60 * DAY_S * SECOND_NS).to_string(), "23:59:59.5 30/12/2023");
        assert!(Date::new(2023, 2, 29).is_none() && Date::new(2000, 2, 29).is_some() && Date::new(1900, 2, 29).is_none());
    }

    #[test]
    fn dashed_dates() {
        let date = Date::new(1951, 5, 2).unwrap();
        assert_eq!((date.dashed().as_str(), Date::from_dashed("02-may-1951")), ("02-MAY-1951", Some(date)));
        assert_eq!(
            (Date::from_dashed("X"), Date::from_dashed("02-MAY-51"), Date::from_dashed("31-FEB-2001")),
            (None, None, None)
        );
    }
}
