//! The `Date` of answers. hyper has one of its own, but keeps it until the clock passes the next
//! second: where the clock is set back, it stands still until then.

use std::time::SystemTime;

use arc_swap::ArcSwap;
use axum::http::HeaderValue;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::Clock;

/// Writes the time of day, once a second.
pub(super) struct DateWriter {
    clock: Clock,
    written: ArcSwap<Written>,
}

struct Written {
    second: i64,
    value: HeaderValue,
}

impl DateWriter {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, written: ArcSwap::from_pointee(Written::at(second(clock()))) }
    }

    /// The value of `Date` now.
    pub(super) fn now(&self) -> HeaderValue {
        let second = second((self.clock)());
        {
            let written = self.written.load();
            if written.second == second {
                return written.value.clone();
            }
        }
        let written = Written::at(second);
        let value = written.value.clone();
        self.written.store(written.into());
        value
    }
}

impl Written {
    fn at(second: i64) -> Self {
        let text = Timestamp::from_second(second)
            .and_then(|time| DateTimePrinter::new().timestamp_to_rfc9110_string(&time))
            .expect("a second within the bounds can be written");
        Self { second, value: HeaderValue::from_str(&text).expect("a date is ASCII") }
    }
}

/// The second of an instant, since 1970. Times before it, and such as the calendar does not have, are
/// taken for the next that HTTP can write.
fn second(time: SystemTime) -> i64 {
    let seconds = |length: std::time::Duration| i64::try_from(length.as_secs()).unwrap_or(i64::MAX);
    let second = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => seconds(since),
        Err(before) => -seconds(before.duration()),
    };
    second.clamp(0, Timestamp::MAX.as_second())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
    use std::time::Duration;

    use super::*;
    use crate::Server;
    use crate::sandbox::config::Config;
    use crate::server::App;

    /// Seconds since 1970, as the clock of the test tells them.
    static NOW: AtomicI64 = AtomicI64::new(0);

    fn clock() -> SystemTime {
        let now = Duration::from_secs(NOW.load(Relaxed).unsigned_abs());
        let epoch = SystemTime::UNIX_EPOCH;
        if NOW.load(Relaxed) < 0 { epoch - now } else { epoch + now }
    }

    #[test]
    fn date_follows_the_clock_when_it_is_set_back() {
        NOW.store(784_111_777, Relaxed);
        let app = App::new(Config { clock, ..Config::default() }).unwrap();
        let server = Server::run(app, String::new()).unwrap();
        // All on one connection.
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        for (now, date) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_778, "Sun, 06 Nov 1994 08:49:38 GMT"),
            (784_111_717, "Sun, 06 Nov 1994 08:48:37 GMT"),
            (1, "Thu, 01 Jan 1970 00:00:01 GMT"),
            (-86_400, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1 << 40, "Thu, 30 Dec 9999 22:00:00 GMT"),
        ] {
            NOW.store(now, Relaxed);
            for path in ["/v1/messages", "/nowhere", "/__admin/health"] {
                let mut response = agent.get(format!("{}{path}", server.url())).call().unwrap();
                let dates: Vec<_> = response.headers().get_all("date").iter().collect();
                assert_eq!(dates, [date], "{path}");
                response.body_mut().read_to_vec().unwrap();
            }
        }
    }
}
