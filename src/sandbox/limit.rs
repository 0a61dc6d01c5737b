//! The rate limit of a sandbox: how many requests of each key it admits in a window of time.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

/// How many requests of each key are admitted in a window of time. A window begins with the first
/// request of a key, and again with the first request after the previous window has ended. Refused
/// requests do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
pub(crate) struct RateLimit {
    /// How many requests of each key are admitted in a window.
    #[cfg_attr(feature = "docs", schemars(range(min = 1, max = RateLimit::MAX_REQUESTS)))]
    pub(crate) requests: u32,
    /// How many seconds a window lasts.
    #[cfg_attr(feature = "docs", schemars(range(min = 1, max = RateLimit::MAX_SECONDS)))]
    pub(crate) seconds: u32,
}

impl RateLimit {
    /// The greatest values of both numbers.
    pub(crate) const MAX_REQUESTS: u32 = 1_000_000;
    pub(crate) const MAX_SECONDS: u32 = 86_400;

    /// # Errors
    ///
    /// A number out of its bounds.
    pub(crate) fn new(requests: u32, seconds: u32) -> Result<Self, String> {
        for (name, got, most) in
            [("requests", requests, Self::MAX_REQUESTS), ("seconds", seconds, Self::MAX_SECONDS)]
        {
            if !(1..=most).contains(&got) {
                return Err(format!("the {name} of a rate limit must be 1 to {most}, got {got}"));
            }
        }
        Ok(Self { requests, seconds })
    }

    /// # Errors
    ///
    /// A number out of its bounds, or a window that is not of whole seconds.
    pub(crate) fn per_window(requests: u32, window: Duration) -> Result<Self, String> {
        if window.subsec_nanos() != 0 {
            return Err(format!(
                "the window of a rate limit must be whole seconds, got {window:?}"
            ));
        }
        // A greater number is out of bounds, too.
        Self::new(requests, u32::try_from(window.as_secs()).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.requests, self.seconds)
    }
}

impl FromStr for RateLimit {
    type Err = String;

    /// Reads `60/60`: 60 requests in 60 seconds.
    fn from_str(text: &str) -> Result<Self, String> {
        // `parse` would accept a `+`.
        let number = |text: &str| text.parse::<u32>().ok().filter(|_| !text.starts_with('+'));
        let (requests, seconds) = text
            .split_once('/')
            .and_then(|(requests, seconds)| number(requests).zip(number(seconds)))
            .ok_or(
                "write a rate limit as REQUESTS/SECONDS, such as 60/60 for 60 requests a minute",
            )?;
        Self::new(requests, seconds)
    }
}

/// At most this many keys have a window at once, because with `--any-key` clients may send any
/// number of keys.
const MAX_KEYS: usize = 1_000;

/// The windows of all keys of a sandbox. A key is identified by its hash, because it may be long.
#[derive(Debug, Default)]
pub(super) struct Windows {
    by_key: HashMap<u64, Window>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Window {
    begun: Duration,
    admitted: u32,
}

impl Windows {
    /// How many bytes of memory they take.
    pub(super) fn bytes(&self) -> usize {
        // A hash table needs an extra byte for each slot, and keeps an eighth of its slots free.
        self.by_key.capacity() * (size_of::<(u64, Window)>() + 1) * 8 / 7
    }

    /// Admits a request of a key, or returns the seconds until the next one is admitted.
    pub(super) fn admit(&mut self, limit: RateLimit, key: &[u8], now: Duration) -> Result<(), u64> {
        let length = Duration::from_secs(limit.seconds.into());
        let ends = |window: &Window| window.begun.saturating_add(length);
        let key = self.hasher.hash_one(key);
        if !self.by_key.contains_key(&key) && self.by_key.len() >= MAX_KEYS {
            self.by_key.retain(|_, window| ends(window) > now);
            let oldest = self.by_key.iter().min_by_key(|(_, window)| window.begun);
            if let Some(oldest) = oldest.map(|(key, _)| *key)
                && self.by_key.len() >= MAX_KEYS
            {
                self.by_key.remove(&oldest);
            }
        }
        let window = self.by_key.entry(key).or_insert(Window { begun: now, admitted: 0 });
        if ends(window) <= now {
            *window = Window { begun: now, admitted: 0 };
        }
        if window.admitted < limit.requests {
            window.admitted += 1;
            return Ok(());
        }
        // The time is rounded up, so that a client that waits that long is admitted.
        let left = ends(window).saturating_sub(now);
        Err(left.as_secs() + u64::from(left.subsec_nanos() > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_with_its_first_request() {
        let limit = RateLimit::new(2, 60).unwrap();
        let mut windows = Windows::default();
        let mut ask = |key: &[u8], ms| windows.admit(limit, key, Duration::from_millis(ms));
        assert_eq!([ask(b"a", 1000), ask(b"a", 2000)], [Ok(()), Ok(())]);
        assert_eq!(ask(b"a", 2000), Err(59));
        assert_eq!(ask(b"a", 2001), Err(59));
        assert_eq!(ask(b"b", 2000), Ok(()));
        assert_eq!(ask(b"a", 60_999), Err(1));
        assert_eq!([ask(b"a", 61_000), ask(b"a", 61_000)], [Ok(()), Ok(())]);
        assert_eq!(ask(b"a", 61_000), Err(60));
        assert_eq!(ask(b"b", 61_999), Ok(()));
    }

    #[test]
    fn any_number_of_keys_takes_bounded_memory() {
        let limit = RateLimit::new(1, 60).unwrap();
        let mut windows = Windows::default();
        for number in 0..5_000_u64 {
            let now = Duration::from_millis(number);
            assert_eq!(windows.admit(limit, &number.to_le_bytes(), now), Ok(()));
        }
        assert_eq!(windows.by_key.len(), MAX_KEYS);
    }

    #[test]
    fn a_text_says_both_numbers() {
        assert_eq!("60/60".parse(), RateLimit::new(60, 60));
        for wrong in ["", "60", "60/", "/60", "60/60/60", "+60/60", "60/x", "-1/1"] {
            assert!(wrong.parse::<RateLimit>().unwrap_err().contains("60/60"), "{wrong}");
        }
        let error = "60/86401".parse::<RateLimit>().unwrap_err();
        assert_eq!(error, "the seconds of a rate limit must be 1 to 86400, got 86401");
        assert!("0/60".parse::<RateLimit>().is_err());
    }
}
