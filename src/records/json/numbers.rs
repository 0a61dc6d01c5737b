//! Numbers, the kinds that answers are full of first.

use super::Pen;

impl Pen<'_> {
    /// A whole number.
    pub(crate) fn integer(&mut self, number: impl itoa::Integer) {
        self.bytes(itoa::Buffer::new().format(number).as_bytes());
    }

    /// A whole number, most often a small one.
    #[inline(always)]
    pub(crate) fn count(&mut self, number: u64) {
        match usize::try_from(number).ok().and_then(|number| COUNTS.get(number)) {
            Some([digits @ .., len]) => self.padded(digits, *len),
            None => self.integer(number),
        }
    }

    /// Milliseconds since 1970-01-01 UTC.
    #[inline(always)]
    pub(crate) fn time(&mut self, ms: i64) {
        // Thirteen digits from 2001 to 2286.
        self.long::<5>(ms);
    }

    /// Seconds since 1970-01-01 UTC.
    #[inline(always)]
    pub(crate) fn seconds(&mut self, seconds: i64) {
        // Ten digits from 2001 to 2286.
        self.long::<2>(seconds);
    }

    /// A whole number, most often one of eight digits behind `HIGH` others.
    #[inline(always)]
    pub(crate) fn long<const HIGH: usize>(&mut self, number: impl itoa::Integer + TryInto<u64>) {
        #[allow(clippy::cast_possible_truncation, reason = "a few digits")]
        let least = const { 10_u64.pow(HIGH as u32 + 7) };
        match number.try_into() {
            Ok(number) if (least..10 * least).contains(&number) => {
                self.digits::<HIGH>(number / 100_000_000);
                self.digits::<8>(number % 100_000_000);
            }
            _ => self.integer(number),
        }
    }

    /// The last `N` decimal digits of a number, at most nine.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "nine digits fit")]
    pub(crate) fn digits<const N: usize>(&mut self, number: u64) {
        const { assert!(N <= 9, "more do not fit in 32 bits") }
        let mut number = number as u32;
        let mut digits = [0; N];
        let mut end = N;
        while end >= 2 {
            digits[end - 2..end].copy_from_slice(&PAIRS[(number % 100) as usize]);
            number /= 100;
            end -= 2;
        }
        if end == 1 {
            digits[0] = b'0' + (number % 10) as u8;
        }
        self.put(&digits, N);
    }

    /// Eight hex digits, in lower case.
    #[inline(always)]
    pub(crate) fn hex(&mut self, number: u32) {
        // A byte a digit: each half is spread over twice the room, three times.
        let mut digits = u64::from(number);
        digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff;
        digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff;
        digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
        // Behind 9 the letters begin, 39 further on than the digits: 1 where there is a letter.
        let letters = (digits + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
        let text = digits + 0x3030_3030_3030_3030 + letters * 39;
        self.put(&text.to_be_bytes(), 8);
    }

    /// A number with a decimal point, never in scientific notation: `2.0`, `0.01`.
    pub(crate) fn float(&mut self, number: f64) {
        // Most are hundredths, which need no general algorithm. So many of them are below 2^53, so
        // that their number is exact.
        if (0.0..9e13).contains(&number) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
            let hundredths = (number * 100.0 + 0.5) as u64;
            #[allow(clippy::float_cmp, reason = "exactly this number is to be printed")]
            #[allow(clippy::cast_precision_loss, reason = "then it is not equal")]
            if hundredths as f64 / 100.0 == number {
                return self.hundredths(hundredths);
            }
        }
        let text = number.to_string();
        self.bytes(text.as_bytes());
        if !text.contains('.') {
            self.bytes(b".0");
        }
    }

    /// So many hundredths, as a number with a decimal point.
    #[inline(always)]
    pub(crate) fn hundredths(&mut self, hundredths: u64) {
        self.count(hundredths / 100);
        self.byte(b'.');
        let rest = (hundredths % 100) as usize;
        // The last digit is not written where it is zero.
        self.put(&PAIRS[rest], 2 - usize::from(rest.is_multiple_of(10)));
    }
}

/// `00` to `99`.
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

/// `0` to `999`: three places, and how many of them count.
#[allow(clippy::cast_possible_truncation, reason = "digits")]
const COUNTS: [[u8; 4]; 1000] = {
    let mut counts = [[0; 4]; 1000];
    let mut n = 0;
    while n < 1000 {
        let [hundreds, tens, ones] =
            [b'0' + (n / 100) as u8, b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
        counts[n] = match n {
            0..10 => [ones, 0, 0, 1],
            10..100 => [tens, ones, 0, 2],
            _ => [hundreds, tens, ones, 3],
        };
        n += 1;
    }
    counts
};

#[cfg(test)]
mod tests {
    use super::Pen;
    use crate::records::json::Out;

    fn written(write: impl Fn(&mut Pen<'_>)) -> String {
        let mut out = Out::with_room(0);
        out.write(&write);
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
            assert_eq!(written(|out| out.count(number.into())), number.to_string());
            assert_eq!(
                written(|out| out.hundredths(number.into())).parse::<f64>().unwrap().to_bits(),
                (f64::from(number) / 100.0).to_bits()
            );
        }
        assert_eq!(written(|out| out.count(u64::MAX)), u64::MAX.to_string());
        for seconds in [0, -1, 999_999_999, 1_000_000_000, 9_999_999_999, 10_000_000_000, i64::MIN]
        {
            assert_eq!(written(|out| out.seconds(seconds)), seconds.to_string());
        }
        let edges = [999_999_999_999, 1_000_000_000_000, 1_760_918_400_001, 9_999_999_999_999];
        for ms in edges.into_iter().chain([0, -1, 10_000_000_000_000, i64::MIN, i64::MAX]) {
            assert_eq!(written(|out| out.time(ms)), ms.to_string());
        }
        for number in [0, 9, 10, 0x00c0_ffee, 0x0123_4567, 0x89ab_cdef, u32::MAX] {
            assert_eq!(written(|out| out.hex(number)), format!("{number:08x}"));
        }
        assert_eq!(written(|out| out.digits::<7>(1_234_567)), "1234567");
    }
}
