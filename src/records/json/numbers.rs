//! Writes numbers.

use std::fmt::{self, Write};

use super::SliceWriter;

impl Write for SliceWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

impl SliceWriter<'_> {
    /// Writes a whole number.
    #[inline(always)]
    pub(crate) fn integer(&mut self, number: impl itoa::Integer) {
        self.bytes(itoa::Buffer::new().format(number).as_bytes());
    }

    /// Writes eight hex digits, in lower case.
    #[inline]
    pub(crate) fn hex(&mut self, number: u32) {
        // Each half of the number is spread over twice the space, three times, so that every digit gets its own
        // byte.
        let mut digits = u64::from(number);
        digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff;
        digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff;
        digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
        // The letters begin 39 characters after the digit 9, so 39 is added where the digit is above 9.
        let is_letter = (digits + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
        let text = digits + 0x3030_3030_3030_3030 + is_letter * 39;
        self.bytes(&text.to_be_bytes());
    }

    /// Writes a number with a decimal point, never in scientific notation: `2.0`, `0.01`.
    pub(crate) fn float(&mut self, number: f64) {
        write!(self, "{number}").expect("a buffer in memory takes all that is written");
        if number.fract() == 0.0 {
            self.bytes(b".0");
        }
    }

    /// Writes a number of hundredths as a number with a decimal point.
    #[inline(always)]
    pub(crate) fn hundredths(&mut self, hundredths: u32) {
        self.count(u64::from(hundredths / 100));
        self.byte(b'.');
        let rest = hundredths as usize % 100;
        // The last digit is not written where it is zero.
        self.put(&PAIRS[rest], 2 - usize::from(rest.is_multiple_of(10)));
    }

    /// Writes a whole number that is mostly small.
    #[inline(always)]
    pub(crate) fn count(&mut self, number: u64) {
        match usize::try_from(number).ok().and_then(|number| COUNTS.get(number)) {
            Some((digits, len)) => self.put(digits, usize::from(*len)),
            None if number < 1000 => self.digits::<3>(number),
            None => self.integer(number),
        }
    }

    /// Writes a time in milliseconds since 1970-01-01 UTC, which has 13 digits from 2001 to 2286.
    #[inline(always)]
    pub(crate) fn milliseconds(&mut self, time: i64) {
        if (1_000_000_000_000..10_000_000_000_000).contains(&time) {
            self.digits::<13>(time.unsigned_abs());
        } else {
            self.integer(time);
        }
    }

    /// Writes a time in seconds since 1970-01-01 UTC, which has 10 digits from 2001 to 2286.
    #[inline(always)]
    pub(crate) fn seconds(&mut self, time: i64) {
        if (1_000_000_000..10_000_000_000).contains(&time) {
            self.digits::<10>(time.unsigned_abs());
        } else {
            self.integer(time);
        }
    }

    /// Writes the last `N` decimal digits of a number, at most 16.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "eight digits each")]
    pub(crate) fn digits<const N: usize>(&mut self, number: u64) {
        const { assert!(N <= 16) }
        let mut digits = [b'0'; N];
        // Two halves, because numbers of 32 bits are divided faster, and both at a time.
        let (upper, lower) = digits.split_at_mut(N.saturating_sub(8));
        write_digits(upper, (number / 100_000_000) as u32);
        write_digits(lower, (number % 100_000_000) as u32);
        self.put(&digits, N);
    }
}

/// Fills a place that has zeros with the last decimal digits of a number.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "a digit")]
fn write_digits(place: &mut [u8], mut number: u32) {
    let (first, pairs) = place.as_rchunks_mut::<2>();
    for pair in pairs.iter_mut().rev() {
        *pair = PAIRS[(number % 100) as usize];
        number /= 100;
    }
    if let [digit] = first {
        *digit += number as u8 % 10;
    }
}

/// The digits of `00` to `99`.
#[allow(clippy::cast_possible_truncation, reason = "digits")]
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// The digits of `0` to `99`, and how many they are.
static COUNTS: [([u8; 2], u8); 100] = {
    let mut counts = [([0; 2], 2); 100];
    let mut n = 0;
    while n < 100 {
        counts[n] = if n < 10 { ([PAIRS[n][1], 0], 1) } else { (PAIRS[n], 2) };
        n += 1;
    }
    counts
};

#[cfg(test)]
mod tests {
    use crate::records::json::{JsonBuf, SliceWriter};

    fn written(write: impl Fn(&mut SliceWriter<'_>)) -> String {
        let mut out = JsonBuf::default();
        out.write(write);
        String::from_utf8(out.into_bytes()).unwrap()
    }

    #[test]
    fn floats_have_a_point_and_read_back_the_same() {
        for (number, text) in [
            (0.0, "0.0"),
            (2.0, "2.0"),
            (0.01, "0.01"),
            (0.59, "0.59"),
            (0.5, "0.5"),
            (12.34, "12.34"),
            (0.125, "0.125"),
            (1e-7, "0.0000001"),
            (1e21, "1000000000000000000000.0"),
            (123_456_789.01, "123456789.01"),
            (89_999_999_999_999.98, "89999999999999.98"),
            (90_080_246_913_578.73, "90080246913578.73"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
        ] {
            let out = written(|out| out.float(number));
            assert_eq!(out, text);
            assert_eq!(out.parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }

    #[test]
    fn numbers_are_written_as_anyone_writes_them() {
        for number in (0..2000).chain([9_999, 123_456, u32::MAX]) {
            assert_eq!(written(|out| out.integer(number)), number.to_string());
            assert_eq!(written(|out| out.count(u64::from(number))), number.to_string());
            assert_eq!(
                written(|out| out.hundredths(number)).parse::<f64>().unwrap().to_bits(),
                (f64::from(number) / 100.0).to_bits()
            );
        }
        assert_eq!(written(|out| out.integer(u64::MAX)), u64::MAX.to_string());
        let seconds = [0, -1, 999_999_999, 1_000_000_000, 9_999_999_999, 10_000_000_000, i64::MIN];
        let ms = [999_999_999_999, 1_000_000_000_000, 1_760_918_400_001, 9_999_999_999_999];
        for number in seconds.into_iter().chain(ms).chain([10_000_000_000_000, i64::MAX]) {
            assert_eq!(written(|out| out.integer(number)), number.to_string());
            assert_eq!(written(|out| out.seconds(number)), number.to_string());
            assert_eq!(written(|out| out.milliseconds(number)), number.to_string());
        }
        for number in [0, 9, 10, 0x00c0_ffee, 0x0123_4567, 0x89ab_cdef, u32::MAX] {
            assert_eq!(written(|out| out.hex(number)), format!("{number:08x}"));
        }
    }
}
