//! Hashes as hex.

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// 64 upper-case hex digits.
pub(crate) fn encode(hash: &[u8; 32]) -> String {
    hash.iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The hash that 64 hex digits of either case stand for; `None` for anything else.
pub(crate) fn decode(text: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, &[high, low]) in hash.iter_mut().zip(pairs) {
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(hash)
}

fn digit(ascii: u8) -> Option<u8> {
    match ascii {
        b'0'..=b'9' => Some(ascii - b'0'),
        b'a'..=b'f' => Some(ascii - b'a' + 10),
        b'A'..=b'F' => Some(ascii - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_it_encodes_in_either_case() {
        let mut hash = [0; 32];
        for (value, byte) in (0..).step_by(7).zip(&mut hash) {
            *byte = value;
        }
        let text = encode(&hash);
        assert!(text.starts_with("00070E151C23"), "{text}");
        assert_eq!(decode(&text), Some(hash));
        assert_eq!(decode(&text.to_lowercase()), Some(hash));
    }

    #[test]
    fn refuses_everything_but_64_digits() {
        assert_eq!(decode(&"A".repeat(64)), Some([0xAA; 32]));
        for text in [
            String::new(),
            "A".repeat(62),
            "A".repeat(63),
            "A".repeat(65),
            "A".repeat(66),
            "é".repeat(32),
            format!("{}g", "A".repeat(63)),
            format!("+{}", "A".repeat(63)),
            format!("{}/", "0".repeat(63)),
            format!("{}:", "0".repeat(63)),
            format!("{}@", "0".repeat(63)),
            format!("{}`", "0".repeat(63)),
        ] {
            assert_eq!(decode(&text), None, "{text:?}");
        }
    }
}
