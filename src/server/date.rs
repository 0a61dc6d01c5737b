//! The `Date` header of responses. hyper caches the date until the clock reaches the next second, so its date
//! would not change for a long time after the clock was set back. So we write the header ourselves.

use std::time::SystemTime;

use axum::http::HeaderValue;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use parking_lot::Mutex;

/// Writes the value of `Date`, and caches it for one second of the clock.
#[derive(Default)]
pub(super) struct DateWriter {
    last: Mutex<Option<(u64, HeaderValue)>>,
}

impl DateWriter {
    /// The value at a time of day.
    pub(super) fn value(&self, time: SystemTime) -> HeaderValue {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut last = self.last.lock();
        match &*last {
            Some((second, value)) if *second == since.as_secs() => value.clone(),
            _ => last.insert((since.as_secs(), date(time))).1.clone(),
        }
    }
}

/// The date of a time. A time outside of the range of HTTP dates becomes the nearest one in it.
fn date(time: SystemTime) -> HeaderValue {
    let time = Timestamp::try_from(time.max(SystemTime::UNIX_EPOCH)).unwrap_or(Timestamp::MAX);
    let mut text = String::with_capacity("Thu, 01 Jan 1970 00:00:00 GMT".len());
    let written = DateTimePrinter::new().print_timestamp_rfc9110(&time, &mut text);
    written.expect("the years 1970 to 9999 can be written");
    HeaderValue::try_from(text).expect("a date is ASCII")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
    use std::time::Duration;

    use super::*;
    use crate::Server;
    use crate::sandbox::SandboxConfig;
    use crate::server::App;
    use crate::settings::ServerConfig;

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
        let sandbox = SandboxConfig { clock, ..SandboxConfig::default() };
        let app = App::new(ServerConfig { sandbox, ..ServerConfig::default() }).unwrap();
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
