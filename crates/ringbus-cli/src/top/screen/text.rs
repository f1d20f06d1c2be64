//! Text of a certain width.

use ratatui::buffer::Buffer;
use ratatui::text::Span;

/// `text`, cut behind with an ellipsis if it is wider.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = text.to_owned();
    while width(&kept) + 1 > columns && kept.pop().is_some() {}
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// `text`, cut in front.
pub(super) fn cut_in_front(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = text.chars();
    while width(kept.as_str()) + 1 > columns && kept.next().is_some() {}
    if columns == 0 { String::new() } else { format!("…{}", kept.as_str()) }
}

/// How many columns it takes.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// The lines of a buffer, without the empty columns at their ends.
pub(super) fn lines_of(buffer: &Buffer) -> Vec<String> {
    let columns = usize::from(buffer.area.width).max(1);
    let line = |cells: &[ratatui::buffer::Cell]| {
        let line: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned()
    };
    buffer.content.chunks(columns).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(
            [cut("journal", 7), cut("journal", 4), cut("journal", 1), cut("journal", 0)],
            ["journal", "jou…", "…", ""]
        );
        assert_eq!(
            [cut_in_front("/dev/shm/a", 6), cut_in_front("/a", 2), cut_in_front("ab", 0)],
            ["…shm/a", "/a", ""]
        );
        assert_eq!(cut("価格と数量", 5), "価格…");
    }
}
