//! Which value of a parameter the client probably wanted to send.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::contract::{ENDPOINTS, Endpoint, Field, Kind, Param, SECONDS};
use crate::suggest::{LONGEST, nearest};

/// The times of [`SECONDS`] in milliseconds.
const MILLIS: std::ops::Range<f64> = 1e12..1e13;

/// `; did you mean 100?`, or which other endpoint accepts the value, or an example of a right value.
pub(super) fn suggest_value(endpoint: &Endpoint, param: &Param, value: &str) -> Option<String> {
    let suggestion = match param.kind {
        Kind::Millis => millis(value),
        Kind::Integer { min, max } => {
            number(value).and_then(whole).filter(|n| (min..=max).contains(n)).map(|n| n.to_string())
        }
        _ => nearest(value, param.kind.words()).map(str::to_owned),
    };
    match suggestion {
        Some(suggestion) => Some(format!("; did you mean {suggestion}?")),
        None => suggest_endpoint(endpoint, param, value)
            .or_else(|| Some(format!("; {}", param.kind.example()?))),
    }
}

/// `; did you mean 1760918400000 for end_time?`, where a window ends in seconds.
pub(super) fn suggest_end(start: i64, end: i64) -> Option<String> {
    let meant = SECONDS.contains(&end) && !SECONDS.contains(&start) && end * 1000 >= start;
    meant.then(|| format!("; did you mean {} for {}?", end * 1000, Field::EndTime.name()))
}

/// `; 1 to 100 is accepted by conversation list, v1 messages`.
fn suggest_endpoint(endpoint: &Endpoint, param: &Param, value: &str) -> Option<String> {
    let value: i64 = value.parse().ok()?;
    let others = ENDPOINTS.iter().filter(|other| other.path != endpoint.path);
    let takes = |other: &'static Endpoint| {
        let kind = other.param(param.field)?.kind;
        let Kind::Integer { min, max } = kind else { return None };
        (min..=max).contains(&value).then_some((kind, other.name))
    };
    let taking: Vec<_> = others.filter_map(takes).collect();
    let (kind, _) = taking.first()?;
    let names: Vec<_> = taking.iter().filter(|(of, _)| of == kind).map(|(_, name)| *name).collect();
    Some(format!("; {} is accepted by {}", kind.expected(), names.join(", ")))
}

/// The milliseconds of a text that gives a time in another form.
fn millis(value: &str) -> Option<String> {
    let value = bare(value)?;
    if let Some(number) = number(value) {
        let millis = if MILLIS.contains(&(number * 1000.0)) { number * 1000.0 } else { number };
        return MILLIS.contains(&millis).then(|| format!("{millis:.0}"));
    }
    // A `+` that was not encoded has become a space. A time without an offset is taken as UTC.
    let plus = || Some(value.rsplit_once(' ')?).map(|(time, offset)| format!("{time}+{offset}"));
    let instant = value.parse::<Timestamp>().ok().or_else(|| plus()?.parse().ok()).or_else(|| {
        let time: DateTime = value.parse().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    });
    instant.map(|instant| instant.as_millisecond().to_string())
}

/// A text that may be a number or a time, without spaces and quotes around it.
fn bare(value: &str) -> Option<&str> {
    let short = value.len() <= LONGEST;
    short.then(|| value.trim_matches(|c: char| c.is_whitespace() || "\"'".contains(c)))
}

/// A number, however it is written.
fn number(value: &str) -> Option<f64> {
    let bare = bare(value)?;
    let digits = bare.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if digits { bare.parse().ok() } else { None }
}

/// The same as an integer, if it is one.
fn whole(number: f64) -> Option<i64> {
    if number.fract() == 0.0 { format!("{number:.0}").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn time_in_another_form_becomes_milliseconds() {
        for (text, same) in [
            ("2025-10-20", "1760918400000"),
            ("2025-10-20T00:00", "1760918400000"),
            ("2025-10-20 00:00:00", "1760918400000"),
            ("2025-10-20T00:00:00Z", "1760918400000"),
            ("2025-10-20T00:00:00.5Z", "1760918400500"),
            ("2025-10-20T02:00:00+02:00", "1760918400000"),
            ("2025-10-20T02:00:00 02:00", "1760918400000"),
            ("1760918400.5", "1760918400500"),
            ("1760918400000.0", "1760918400000"),
            ("1.7609184e12", "1760918400000"),
            (" 1760918400000", "1760918400000"),
            ("\"1760918400000\"", "1760918400000"),
        ] {
            assert_eq!(millis(text).as_deref(), Some(same), "{text}");
        }
        for odd in ["", "now", "1.5", "10:00", "2025-13-01", "1e400", "9223372036854775808", "-"] {
            assert_eq!(millis(odd), None, "{odd}");
        }
    }
}
