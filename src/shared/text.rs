//! Text in words: its bytes, eight a word, cut off where there is no more room.

/// Writes as much of `text` as there is room for. Returns how many bytes that is.
pub(super) fn write(text: &str, to: &mut [u64]) -> u64 {
    let text = &text[..text.floor_char_boundary(to.len() * 8)];
    for (word, bytes) in to.iter_mut().zip(text.as_bytes().chunks(8)) {
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_ne_bytes(eight);
    }
    text.len() as u64
}

/// The text of `bytes` bytes that stands there; what is none is shown as such.
pub(super) fn read(bytes: u64, from: &[u64]) -> String {
    let all: Vec<u8> = from.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(all.len());
    String::from_utf8_lossy(&all[..bytes]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_far_as_there_was_room() {
        for (text, words, read_back) in [
            ("", 1, ""),
            ("journal", 1, "journal"),
            ("eight by", 1, "eight by"),
            ("position keeper", 1, "position"),
            ("prüfer-ä", 1, "prüfer-"),
            ("prüfer-ä", 2, "prüfer-ä"),
        ] {
            let mut to = vec![u64::MAX; words];
            let bytes = write(text, &mut to);
            assert_eq!(read(bytes, &to), read_back);
        }
        assert_eq!(read(u64::MAX, &[u64::from_ne_bytes(*b"anything")]), "anything");
        assert_eq!(read(1, &[u64::from_ne_bytes([0xff; 8])]), "\u{fffd}");
    }
}
