//! Writes JSON into a buffer, value by value, without building a tree first.

use std::io::Write as _;

use crate::model::Text;

/// A string of the model's, which knows how to escape itself.
pub(crate) fn text(out: &mut Vec<u8>, text: &dyn Text) {
    out.push(b'"');
    text.append_to(out);
    out.push(b'"');
}

/// A word of the contract's; nothing in it needs escaping.
pub(crate) fn word(out: &mut Vec<u8>, word: &str) {
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

/// A whole number.
pub(crate) fn integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A number with a decimal point, never in scientific notation: `2.0`, `0.01`.
pub(crate) fn float(out: &mut Vec<u8>, number: f64) {
    // Most are hundredths, which need no general algorithm. A hundredth below 2^53 is exact.
    let hundredths = (number * 100.0).round();
    #[allow(clippy::float_cmp, reason = "exactly this number is to be printed")]
    if (0.0..9e15).contains(&hundredths) && hundredths / 100.0 == number {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        let hundredths = hundredths as u64;
        integer(out, hundredths / 100);
        out.push(b'.');
        let (tenths, rest) = (hundredths % 100 / 10, hundredths % 10);
        integer(out, tenths);
        if rest > 0 {
            integer(out, rest);
        }
        return;
    }
    let start = out.len();
    // Writing to a vector cannot fail.
    let _ = write!(out, "{number}");
    if !out[start..].contains(&b'.') {
        out.extend_from_slice(b".0");
    }
}

#[cfg(test)]
mod tests {
    use super::float;

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
        ] {
            let mut out = Vec::new();
            float(&mut out, number);
            let out = String::from_utf8(out).unwrap();
            assert_eq!(out, text);
            assert_eq!(out.parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }
}
