//! The rate limit of a sandbox: so many requests of a key in so many seconds.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

/// So many requests of each key in so many seconds. The window of a key begins with its first
/// request and with the first one after the last window ended; requests that are refused do not
/// count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
pub(crate) struct RateLimit {
    /// How many requests of each key a window has.
    #[cfg_attr(feature = "docs", schemars(range(min = 1, max = RateLimit::MOST_REQUESTS)))]
    pub(crate) requests: u32,
    /// How many seconds a window lasts.
    #[cfg_attr(feature = "docs", schemars(range(min = 1, max = RateLimit::MOST_SECONDS)))]
    pub(crate) seconds: u32,
}

impl RateLimit {
    /// Bounds of both numbers.
    pub(crate) const MOST_REQUESTS: u32 = 1_000_000;
    pub(crate) const MOST_SECONDS: u32 = 86_400;

    /// # Errors
    ///
    /// A number out of its bounds.
    pub(crate) fn new(requests: u32, seconds: u32) -> Result<Self, String> {
        for (name, got, most) in
            [("requests", requests, Self::MOST_REQUESTS), ("seconds", seconds, Self::MOST_SECONDS)]
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
            return Err(format!("a rate limit counts in whole seconds, got {window:?}"));
        }
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
        // `parse` takes a `+`, too.
        let number = |text: &str| text.parse::<u32>().ok().filter(|_| !text.starts_with('+'));
        let (requests, seconds) = text
            .split_once('/')
            .and_then(|(requests, seconds)| number(requests).zip(number(seconds)))
            .ok_or("write it as REQUESTS/SECONDS, such as 60/60 for sixty a minute")?;
        Self::new(requests, seconds)
    }
}

/// So many keys are counted at once. With `--any-key` a client may send any number of them.
const MOST_KEYS: usize = 1_000;

/// The windows of all keys of a sandbox.
/// Keys are told apart by their hash, however long they are.
#[derive(Debug, Default)]
pub(super) struct Windows {
    of: HashMap<u64, Window>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Window {
    begun: Duration,
    admitted: u32,
}

impl Windows {
    /// Admits a request of a key, or tells after how many seconds one will be.
    pub(super) fn admit(&mut self, limit: RateLimit, key: &[u8], now: Duration) -> Result<(), u64> {
        let length = Duration::from_secs(limit.seconds.into());
        let ends = |window: &Window| window.begun.saturating_add(length);
        let key = self.hasher.hash_one(key);
        if !self.of.contains_key(&key) && self.of.len() >= MOST_KEYS {
            self.of.retain(|_, window| ends(window) > now);
            let oldest = self.of.iter().min_by_key(|(_, window)| window.begun);
            if let Some(oldest) = oldest.map(|(key, _)| *key)
                && self.of.len() >= MOST_KEYS
            {
                self.of.remove(&oldest);
            }
        }
        let window = self.of.entry(key).or_insert(Window { begun: now, admitted: 0 });
        if ends(window) <= now {
            *window = Window { begun: now, admitted: 0 };
        }
        if window.admitted < limit.requests {
            window.admitted += 1;
            return Ok(());
        }
        // Rounded up: a client that waits so long is admitted.
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
    fn keys_without_end_take_no_memory_without_end() {
        let limit = RateLimit::new(1, 60).unwrap();
        let mut windows = Windows::default();
        for number in 0..5_000_u64 {
            let now = Duration::from_millis(number);
            assert_eq!(windows.admit(limit, &number.to_le_bytes(), now), Ok(()));
        }
        assert_eq!(windows.of.len(), MOST_KEYS);
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
